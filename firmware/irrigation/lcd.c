#include "lcd.h"

#include "board.h"
#include "flash.h"

#define PICTURES_BETWEEN_SETUPS 90u
#define POWER_UP_TICKS 3u /* more than 40 ms after the supply is up */

/* The first four are single nibbles in the 8-bit bus the controller may be in (data sheet, figure 24). */
#define SINGLE_NIBBLES 4u
static const uint8_t setup[] FLASH = {
    0x3, 0x3, 0x3, 0x2, 0x28 /* 4 bits, 2 rows */, 0x0C /* on, no cursor */, 0x06 /* to the right */,
};
#define SETUP_STEPS ((uint8_t)sizeof setup)
#define CELLS (1u + LCD_COLUMNS) /* the row's address, then its characters */

static struct {
    uint8_t wait;
    uint8_t step; /* of the set-up; SETUP_STEPS when done */
    uint8_t row;
    uint8_t cell;
    uint8_t pictures;
    char text[LCD_COLUMNS];
} lcd;

static void write_byte(bool data, uint8_t byte)
{
    hal_lcd_nibble(data, (uint8_t)(byte >> 4));
    hal_lcd_nibble(data, byte & 0x0Fu);
}

void lcd_start(void)
{
    FRESH(lcd);
    lcd.wait = POWER_UP_TICKS;
}

static void set_up(void)
{
    uint8_t byte = (uint8_t)flash_byte(&setup[lcd.step]);
    if (lcd.step < SINGLE_NIBBLES)
        hal_lcd_nibble(false, byte);
    else
        write_byte(false, byte);
    lcd.step++;
}

void lcd_tick(void)
{
    if (lcd.wait) {
        lcd.wait--;
    } else if (lcd.step < SETUP_STEPS) {
        set_up();
    } else if (lcd.cell == 0) {
        display_row(lcd.row, lcd.text);
        write_byte(false, lcd.row ? 0xC0u : 0x80u);
        lcd.cell = 1;
    } else {
        write_byte(true, (uint8_t)lcd.text[lcd.cell - 1u]);
        if (++lcd.cell < CELLS)
            return;
        lcd.cell = 0;
        lcd.row ^= 1u;
        if (lcd.row == 0 && ++lcd.pictures >= PICTURES_BETWEEN_SETUPS) {
            lcd.pictures = 0;
            lcd.step = 0;
        }
    }
}
