/*
 * The electrode sensors: 3 to 93 mV for an empty to a full field. The differential stage with gain 10 and the internal
 * 2.56 V reference makes one step of the converter 0.5 mV; 16 conversions are added up, the stage's offset, measured
 * with both inputs on the same pin, is taken away, and the median of five seconds drops outliers.
 */
#ifndef SENSOR_H
#define SENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "level.h"

#define SENSOR_CONVERSIONS 16u
#define SENSOR_MEDIAN 5u
#define SENSOR_GAIN 10u
#define SENSOR_STEPS 512u /* of a differential conversion, per reference voltage */
#define SENSOR_BROKEN_BELOW 130   /* 10 uV; the driest electrode gives 2.7 mV, an open wire is pulled to 0 */
#define SENSOR_SHORT_ABOVE 20000  /* 10 uV; no water gives 200 mV, shorted plates give the supply */
#define SENSOR_STALE_SECONDS 5u

/* The converter (hal): inputs 0 and 2 are the offsets of sensors 1 and 2, inputs 1 and 3 the sensors. */
void hal_adc_start(uint8_t input);
bool hal_adc_take(int16_t *sum); /* true once when the 16 conversions are done */

void sensor_start(void);
void sensor_poll(void);   /* moves from one input to the next */
void sensor_second(void); /* starts a round; the EEPROM must be ready */
level_t sensor_level(uint8_t field);
bool sensor_alive(void);

/* Parts that are tested by themselves. */
int16_t sensor_voltage(int16_t difference, uint16_t reference_mv); /* 10 uV */
int16_t sensor_median(const int16_t *values);
level_t sensor_interpolate(uint8_t field, int16_t voltage);

#endif
