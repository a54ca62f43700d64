/* HD44780 (data sheet ADE-207-272): two rows, 4- or 8-bit bus, address counter, and the times it is busy. */
#include <string.h>

#include "machine.h"

enum { RS = 0, E = 1 };
#define BUSY_SECONDS 37e-6
#define CLEAR_SECONDS 1.52e-3
#define POWER_UP_SECONDS 40e-3 /* after the supply has 2.7 V */

static struct {
    char memory[128];
    uint8_t address;
    uint8_t last;
    bool four_bits, half, on;
    uint8_t high;
    avr_cycle_count_t busy_until;
} lcd;

static void busy(double seconds)
{
    lcd.busy_until = machine.avr->cycle + (avr_cycle_count_t)(seconds * machine.avr->frequency);
}

void display_power_on(void)
{
    memset(&lcd, 0, sizeof lcd);
    memset(lcd.memory, ' ', sizeof lcd.memory);
    busy(POWER_UP_SECONDS);
}

static void instruction(uint8_t byte)
{
    busy(byte <= 3 ? CLEAR_SECONDS : BUSY_SECONDS);
    if (byte & 0x80) {
        lcd.address = byte & 0x7F;
    } else if (byte & 0x40) {
        /* the character generator is not used */
    } else if (byte & 0x20) {
        lcd.four_bits = !(byte & 0x10);
    } else if (byte & 0x10) {
        /* shift: not used */
    } else if (byte & 0x08) {
        lcd.on = byte >> 2 & 1;
    } else if (byte & 0x04) {
        /* entry mode: to the right */
    } else {
        if (byte & 1)
            memset(lcd.memory, ' ', sizeof lcd.memory);
        lcd.address = 0;
    }
}

static void take(bool data, uint8_t byte)
{
    if (data) {
        lcd.memory[lcd.address] = (char)byte;
        lcd.address = (lcd.address + 1) & 0x7F;
        busy(BUSY_SECONDS);
    } else {
        instruction(byte);
    }
}

void display_port(uint8_t port)
{
    bool falls = (lcd.last >> E & 1) && !(port >> E & 1);
    uint8_t nibble = lcd.last >> 4;
    bool data = lcd.last >> RS & 1;
    lcd.last = port;
    if (!falls)
        return;
    if (!lcd.half && machine.avr->cycle < lcd.busy_until)
        machine.lcd_violations++;
    if (!lcd.four_bits) {
        take(data, (uint8_t)(nibble << 4));
    } else if (!lcd.half) {
        lcd.half = true;
        lcd.high = nibble;
    } else {
        lcd.half = false;
        take(data, (uint8_t)(lcd.high << 4 | nibble));
    }
}

void display_text(char rows[2][17])
{
    for (int row = 0; row < 2; row++) {
        for (int column = 0; column < 16; column++) {
            char c = lcd.memory[row * 0x40 + column];
            rows[row][column] = lcd.on && c >= ' ' && c < 0x7F ? c : ' ';
        }
        rows[row][16] = 0;
    }
}
