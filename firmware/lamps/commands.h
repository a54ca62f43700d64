/* The texts of the house lamps: which command an SMS is, and what is answered. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

/* Bits 0 to 2 the lamps, bit 3 on; or one of the words below. */
#define COMMAND_LAMPS 0x10u
#define COMMAND_ON 0x08u
#define COMMAND_LAMP_MASK 0x07u
#define COMMAND_STATUS 0x20u
#define COMMAND_WRONG 0x40u
#define COMMAND_READY 0x80u

/*
 * Letter case and the number of blanks are forgiven: phones capitalise by themselves, and the paper's own table mixes
 * them. Anything else is COMMAND_WRONG.
 */
uint8_t command_parse(const char *text, bool whole);

/* Writes one character of the answer to a command, 0 at its end; lamps is the state to tell. */
char answer_character(uint8_t command, uint8_t lamps, uint8_t place);

#endif
