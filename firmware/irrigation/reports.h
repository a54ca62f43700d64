/*
 * Reports to the registered numbers. There is one place for each (field, event), so a level that trembles at a
 * threshold fills a place, not a queue: a report goes out at most once in the set time, an alarm waits but is never
 * dropped, and "pump on" and "pump off" take each other's place when neither has gone out.
 */
#ifndef REPORTS_H
#define REPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "level.h"
#include "logic.h"

void reports_start(uint8_t minutes);
void reports_raise(uint8_t field, uint8_t events, level_t level);
void reports_minute(void);

/* The alarms that have not gone out: they are kept in EEPROM over a power cut. */
uint8_t reports_alarms(uint8_t field);
uint8_t reports_waiting(void);

bool reports_next(char *number);
char reports_character(void);
void reports_done(bool sent);

#endif
