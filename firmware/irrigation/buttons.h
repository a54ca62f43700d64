/* Push buttons: a press counts when it was there for BUTTON_TICKS ticks in a row, and once until it is let go. */
#ifndef BUTTONS_H
#define BUTTONS_H

#include <stdint.h>

#define BUTTON_TICKS 3u

/* Takes the raw state (bit set: pressed) once a tick; returns the buttons that have just been pressed. */
uint8_t buttons_tick(uint8_t raw);
void buttons_start(uint8_t raw);

#endif
