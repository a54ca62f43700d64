/* What only the irrigation board has. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "hal.h"

void hal_pumps(bool first, bool second);
uint8_t hal_buttons(void); /* bit 0, bit 1: pressed */

/* One nibble on D7..D4, RS as told, and a pulse on E. */
void hal_lcd_nibble(bool data, uint8_t nibble);

void irrigation_start(void);
void irrigation_poll(void);

#endif
