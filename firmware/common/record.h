/*
 * A record in EEPROM, kept as two copies. Each copy is: sequence number, payload, CRC-16 over both. A save writes the
 * older copy, so a power cut in the middle of it leaves the newer one whole. Address 0 is never used: a brown-out can
 * write there (data sheet, "Preventing EEPROM Corruption").
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stdint.h>

#define RECORD_OVERHEAD 3u
#define STATE_SIZE 16u

/* Where the copies lie: the settings are written by the provisioning tool, the state by the firmware. */
#define STATE_BASE 16u
#define SETTINGS_BASE 64u

/* Address of the payload of the newest valid copy, or 0. */
uint16_t record_find(uint16_t base, uint8_t size);

/*
 * The state: load once, take parts from it, put parts into it, and commit. While a commit is being written, puts are
 * ignored (the next round brings them). A commit that changes nothing writes nothing.
 */
bool state_load(void);
void state_get(uint8_t offset, void *part, uint8_t size);
void state_put(uint8_t offset, const void *part, uint8_t size);
void state_commit(void);

/* Writes at most one byte; call it once a tick. */
void state_poll(void);

/* True while a save is under way. */
bool state_busy(void);

#endif
