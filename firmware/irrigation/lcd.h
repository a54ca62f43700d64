/*
 * HD44780, two rows of 16, 4-bit bus, write only. One byte a tick, so no busy time is ever waited for; a picture takes
 * 34 ticks. Every minute or so the set-up is sent again: a disturbed controller comes back by itself.
 */
#ifndef LCD_H
#define LCD_H

#include <stdint.h>

#define LCD_COLUMNS 16u

void lcd_start(void);
void lcd_tick(void);

/* The application writes a row, 16 characters. */
void display_row(uint8_t row, char *text);

#endif
