/* Inside the GSM driver: its state, shared by gsm.c (what to ask next) and gsm_receive.c (what is said). */
#ifndef GSM_STATE_H
#define GSM_STATE_H

#include "gsm.h"
#include "line.h"
#include "phone.h"

#define SECONDS(n) ((uint16_t)((n) * TICKS_PER_SECOND))
#define MILLISECONDS(n) ((uint8_t)(((n) * TICKS_PER_SECOND + 999u) / 1000u + 1u))
#define NETWORK_TIME SECONDS(60)
#define QUIET MILLISECONDS(20)   /* the line is silent: the modem has said all it had to say */
#define RESYNC MILLISECONDS(250) /* a body that stops this long is over, whatever its length said */
#define SLOTS_MOST 99u

enum step {
    STEP_SYNCHRONISE,
    STEP_PIN,
    STEP_TEXT_MODE,
    STEP_ECHO, /* from here to STEP_NOTIFY a refusal does not matter */
    STEP_ERROR_CODES,
    STEP_CHARACTER_SET,
    STEP_HEADERS,
    STEP_NOTIFY,
    STEP_REGISTRATION, /* from here on also repeated as the periodic check */
    STEP_MEMORY,
    STEP_STILL_TEXT,
    STEP_IDLE,
    STEP_READ,
    STEP_DELETE,
    STEP_SEND,
};

enum receiving {
    RECEIVE_LINES,
    RECEIVE_COUNTED, /* a body of known length */
    RECEIVE_BODY,    /* a body up to the end of its first line */
    RECEIVE_AFTER,   /* a counted body is complete: a line end must follow */
    RECEIVE_DRAIN,   /* believe nothing until the line is silent */
};

enum sending {
    SENDING_NOTHING,
    SENDING_PROMPT, /* AT+CMGS is out, "> " must come */
    SENDING_TEXT,
    SENDING_RESULT,
};

struct modem {
    uint8_t receiving;
    bool skip_newline;
    bool header_direct; /* the body under way came as +CMT, not as an answer to +CMGR */
    bool header_wanted; /* it is a received message, with a text we can read */
    uint16_t body_left;

    uint8_t status;
    uint8_t step;
    bool waiting;   /* a command is out, its result is not in */
    bool answered;  /* the information line we hoped for came before the result */
    uint8_t sending;
    uint8_t silence; /* ticks since the last character, at most 255 */
    uint8_t failures;
    uint16_t timer; /* waiting: time left for the result; else: pause before the next command */
    uint8_t ticks;  /* of the second under way */
    uint8_t check;  /* s until the next periodic check */
    uint16_t hold;  /* s until the next attempt to send */
    uint16_t hold_next;

    uint8_t announced; /* slot of a message that has come in; 0: none */
    uint8_t sweep;   /* next slot to look at, 0: none */
    uint8_t sweep_left;
    uint8_t slots;
    uint8_t index; /* the slot being read or deleted */

    char sender[PHONE_SIZE];
    char number[PHONE_SIZE];
    uint8_t command;
    bool command_held;  /* read, but not yet deleted */
    bool command_ready; /* may be carried out */
    bool message_read;
    struct line line;
};

extern struct modem gsm_modem;

/*
 * The state is reached by a pointer that the compiler cannot see through: an access at an offset is two bytes of code
 * on the AVR, one at an absolute address four, and this file has hundreds.
 */
static inline struct modem *self(void)
{
    struct modem *pointer = &gsm_modem;
    __asm__("" : "+r"(pointer));
    return pointer;
}

/* gsm.c */
void gsm_proceed(uint8_t step, uint16_t pause);
void gsm_restart(void);
void gsm_finished_well(void);
void gsm_finished_badly(void);

/* gsm_receive.c */
void gsm_receive(uint8_t byte);
void gsm_settle(void);

#endif
