/*
 * A board in simulation: a simavr core with what simavr 1.6 lacks or simplifies (ATmega8535; USART, converter and
 * EEPROM with their real buffers and times), the modem's line, the display, and the power switch.
 *
 * simavr is free software under the GNU GPL, version 3 or later; this program links against it (see README.md).
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim_avr.h"
#include "sim_elf.h"

struct machine {
    avr_t *avr;
    bool powered;
    bool lamps; /* the ATmega328P board: the modem is on two port pins */
    uint64_t random;
    uint16_t ram_start, bss_end;
    uint8_t ram_copy[0x900];
    bool stop;
    bool stop_at_every_byte;
    unsigned resets, watchdog_resets, overruns, framing_errors, eeprom_misuses, lcd_violations;
    uint64_t sent, received;
};

extern struct machine machine;

double machine_random(void);              /* [0, 1) */
void machine_event(const char *format, ...); /* one line to the driver */

void machine_drive(unsigned port, unsigned bit, bool high);

/* The modem's line. */
void line_queue(uint8_t byte);
void line_set_baud(double baud);
void line_reset(void);
void line_power_off(void);
unsigned line_waiting(void);
void line_from_chip(uint8_t byte);         /* the chip has sent a byte */
void line_chip_pin(bool high);             /* lamps: the chip's sending pin */

/* ATmega8535 */
avr_t *atmega8535_make(void);
void usart_receive(uint8_t byte, double baud);
void adc_set_input(unsigned channel, double microvolts);
void adc_set_errors(double reference_mv, double offset_lsb, double noise_lsb);

/* EEPROM of either chip */
void eeprom_attach(avr_t *avr, uint16_t control, uint16_t data, uint16_t address_low, unsigned size, double write_seconds);
void eeprom_power_cut(void);
void eeprom_reset(void);
uint8_t *eeprom_memory(void);
unsigned eeprom_size(void);
uint64_t eeprom_writes(void);

/* HD44780 */
void display_port(uint8_t port);
void display_power_on(void);
void display_text(char rows[2][17]);

#endif
