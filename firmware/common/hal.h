/*
 * What the portable code asks of the hardware. Three implementations: hal_atmega8535.c, hal_atmega328p.c and
 * host/hal_host.c. Nothing here waits.
 */
#ifndef HAL_H
#define HAL_H

#include <stdbool.h>
#include <stdint.h>

/* The modem's serial line, 9600 baud, 8 data bits, no parity, 1 stop bit. */
bool hal_serial_get(uint8_t *byte);
bool hal_serial_put(uint8_t byte); /* false: the ring is full */
bool hal_serial_sent(void);        /* true: nothing waits to be sent */

/* Ticks since the last call, at most 255. TICKS_PER_SECOND is a constant of each board. */
uint8_t hal_ticks(void);

/* EEPROM. Reading is allowed only when ready; writing starts a byte and returns. */
bool hal_eeprom_ready(void);
uint8_t hal_eeprom_read(uint16_t address);
void hal_eeprom_write(uint16_t address, uint8_t byte);

void hal_watchdog_kick(void);

/* On the chip a start finds all state zero. On the host the same process starts the firmware many times. */
#ifdef __AVR__
#define FRESH(state) ((void)0)
#else
#include <string.h>
#define FRESH(state) memset(&(state), 0, sizeof(state))
#endif

#endif
