/*
 * The GSM modem: a state machine over AT commands in text mode (3GPP TS 27.005, 27.007; Wavecom's +WIND). It never
 * waits. It reads one stored message at a time, deletes it, and only then has it carried out: a message is carried out
 * at most once, even when the power goes between.
 *
 * Text mode lets the author of a message write lines that look like the modem's own. Two defences: the body is counted
 * by the length in the header (AT+CSDH=1), and after a body without a length nothing is believed until the line has
 * been silent.
 */
#ifndef GSM_H
#define GSM_H

#include <stdbool.h>
#include <stdint.h>

enum gsm_status {
    GSM_STARTING,
    GSM_MUTE,      /* the modem does not answer */
    GSM_NO_SIM,    /* no SIM, or it wants a PIN: we never guess one */
    GSM_SEARCHING, /* not registered in a network */
    GSM_READY,
};

#define GSM_COMMAND_NONE 0u

void gsm_start(void);
void gsm_poll(uint8_t ticks);
enum gsm_status gsm_status(void);


/* What the application supplies. */

/* The command in a text, or GSM_COMMAND_NONE. Called before the sender is known to be registered. */
uint8_t application_parse(const char *text, bool whole);
/* Carries a command out. The sender may be anybody: ask settings_sender_allowed(). The EEPROM is ready. */
void application_command(char *sender, uint8_t command);
/* If there is something to send: writes the number (canonical digits), rewinds its text, and returns true. */
bool application_outgoing(char *number);
/* The next character of that text, 0 at its end. */
char application_outgoing_character(void);
/* The network took it, or did not. */
void application_outgoing_done(bool sent);

#endif
