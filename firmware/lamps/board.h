/* What only the lamps' board has. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "hal.h"

#define LAMPS 3u

void hal_lamps(uint8_t on); /* bit 0 terrace, bit 1 bedroom, bit 2 kitchen */
void hal_indicator(bool on);
bool hal_power_was_off(void); /* this start is a power-up, not a watchdog reset */

void lamps_start(void);
void lamps_poll(void);

#endif
