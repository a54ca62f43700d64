/*
 * The settings, in EEPROM as two checked copies, written by the provisioning tool (labs/firmware/settings.py) and only
 * read here. They are read where they lie: 512 bytes of RAM have better uses. With no valid copy nobody is registered
 * and the defaults hold, so the board still works by its buttons.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "phone.h"

#define SETTINGS_NUMBERS 3u
#define SETTINGS_NUMBER_SIZE (PHONE_SIZE - 1u) /* canonical digits, filled up with zeros */
#define SETTINGS_VERSION 1u
#define CALIBRATION_POINTS 5u

/* Offsets within the payload. */
#define SETTINGS_AT_VERSION 0u
#define SETTINGS_AT_FLAGS 1u
#define SETTINGS_AT_COUNTRY 2u
#define SETTINGS_AT_NUMBERS 6u
#define SETTINGS_AT_FILL_MINUTES 54u
#define SETTINGS_AT_OVERRIDE_MINUTES 55u
#define SETTINGS_AT_REPORT_MINUTES 56u
#define SETTINGS_AT_REFERENCE 57u /* mV, low byte first */
#define SETTINGS_AT_LEVELS 59u    /* percent, one byte a point */
#define SETTINGS_AT_SENSORS 64u   /* two sensors, 10 microvolts, low byte first, two bytes a point */
#define SETTINGS_SIZE 84u

#define SETTINGS_FLAG_OPEN 1u

/* Finds the valid copy. The EEPROM must be ready. */
void settings_load(void);
bool settings_valid(void);
uint8_t settings_byte(uint8_t offset, uint8_t otherwise);
uint16_t settings_word(uint8_t offset, uint16_t otherwise);

/* Copies registered number 0..2, canonical digits; false when the place is empty. */
bool settings_number(uint8_t index, char *number);

/* True when the sender may command. The sender becomes canonical; an unfit one becomes "". */
bool settings_sender_allowed(char *sender);

#endif
