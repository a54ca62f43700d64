/* The firmware on the host: its hardware as memory that a test reads and writes. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stdint.h>

#define HOST_EEPROM 512u

extern int16_t host_sums[4];   /* irrigation only */
extern uint8_t host_buttons;   /* irrigation only */
extern bool host_indicator;    /* lamps only */
extern uint8_t host_eeprom[HOST_EEPROM];
extern uint64_t host_kicks;
extern uint64_t host_writes;

void host_clear(void);                                    /* rings and counters, not the EEPROM */
unsigned host_feed(const uint8_t *bytes, unsigned count); /* how many fit in the ring */
unsigned host_drain(uint8_t *bytes, unsigned room);       /* what the firmware has sent */
void host_tick(uint8_t ticks);

/* Each board. */
void host_start(void);
void host_poll(void);
uint8_t host_outputs(void); /* pumps or lamps, one bit each */

#endif
