#include "sensor.h"

#include "flash.h"
#include "hal.h"
#include "settings.h"
#include "sensor_table.h" /* made from sensor_table.csv */

#define INPUTS 4u

static struct {
    int16_t offset;
    int16_t values[FIELDS][SENSOR_MEDIAN];
    uint8_t next;  /* place in the median's window */
    uint8_t count; /* values in it */
    uint8_t input; /* being converted; INPUTS when at rest */
    uint8_t stale; /* seconds since the last whole round */
    level_t level[FIELDS];
} sensor;

static uint8_t table_level(uint8_t point)
{
    return settings_byte((uint8_t)(SETTINGS_AT_LEVELS + point), flash_byte(&sensor_table_level[point]));
}

static int16_t table_voltage(uint8_t field, uint8_t point)
{
    uint8_t place = (uint8_t)(field * CALIBRATION_POINTS + point);
    const uint8_t *bytes = &sensor_table_voltage[(uint8_t)(place * 2u)];
    uint16_t otherwise = (uint16_t)(flash_byte(bytes) | (uint16_t)((uint16_t)flash_byte(bytes + 1) << 8));
    return (int16_t)settings_word((uint8_t)(SETTINGS_AT_SENSORS + place * 2u), otherwise);
}

int16_t sensor_voltage(int16_t difference, uint16_t reference_mv)
{
    if (difference <= 0)
        return 0;
    /* mV * 100 = sum * reference * 100 / (16 * 512 * 10): a shift. At most 8192 * 2 * 2700 * 10 < 2^31 before it. */
    uint32_t voltage = (uint32_t)(uint16_t)difference * reference_mv * 10u / (SENSOR_CONVERSIONS * SENSOR_STEPS);
    return voltage > INT16_MAX ? INT16_MAX : (int16_t)voltage;
}

int16_t sensor_median(const int16_t *values)
{
    /* The one with as many below as above; equal values are told apart by their place. */
    for (uint8_t i = 0; i < SENSOR_MEDIAN; i++) {
        uint8_t below = 0;
        for (uint8_t j = 0; j < SENSOR_MEDIAN; j++)
            if (values[j] < values[i] || (j < i && values[j] == values[i]))
                below++;
        if (below == SENSOR_MEDIAN / 2u)
            return values[i];
    }
    return values[0];
}

level_t sensor_interpolate(uint8_t field, int16_t voltage)
{
    if (voltage < SENSOR_BROKEN_BELOW)
        return LEVEL_BROKEN;
    if (voltage > SENSOR_SHORT_ABOVE)
        return LEVEL_SHORT;
    uint8_t point = 1; /* the end of the piece; the first and last pieces go on beyond the table */
    while (point < CALIBRATION_POINTS - 1u && voltage > table_voltage(field, point))
        point++;
    int16_t low = table_voltage(field, (uint8_t)(point - 1u));
    int16_t rise = (int16_t)(table_voltage(field, point) - low);
    uint8_t level = table_level((uint8_t)(point - 1u));
    uint8_t span = (uint8_t)(table_level(point) - level);
    if (rise <= 0) /* the table in EEPROM is nonsense */
        return LEVEL_BROKEN;
    if (voltage <= low)
        return (level_t)(level * 10u);
    uint16_t above = (uint16_t)(voltage - low);
    uint32_t tenths = level * 10u + (uint32_t)above * (uint16_t)(span * 10u) / (uint16_t)rise;
    return tenths > (uint32_t)LEVEL_MOST ? LEVEL_MOST : (level_t)tenths;
}

void sensor_start(void)
{
    FRESH(sensor);
    sensor.input = INPUTS;
    for (uint8_t field = 0; field < FIELDS; field++)
        sensor.level[field] = LEVEL_UNKNOWN;
}

static void round_done(void)
{
    sensor.stale = 0;
    sensor.next = (uint8_t)((sensor.next + 1u) % SENSOR_MEDIAN);
    if (sensor.count < SENSOR_MEDIAN)
        sensor.count++;
}

void sensor_poll(void)
{
    int16_t sum;
    if (sensor.input >= INPUTS || !hal_adc_take(&sum))
        return;
    if (sensor.input & 1u)
        sensor.values[sensor.input / 2u][sensor.next] = (int16_t)(sum - sensor.offset);
    else
        sensor.offset = sum;
    if (++sensor.input < INPUTS)
        hal_adc_start(sensor.input);
    else
        round_done();
}

void sensor_second(void)
{
    if (sensor.stale < 255u)
        sensor.stale++;
    uint16_t reference = settings_word(SETTINGS_AT_REFERENCE, 2560u);
    for (uint8_t field = 0; field < FIELDS; field++) {
        if (sensor.count < SENSOR_MEDIAN || !sensor_alive())
            sensor.level[field] = LEVEL_UNKNOWN;
        else
            sensor.level[field] =
                sensor_interpolate(field, sensor_voltage(sensor_median(sensor.values[field]), reference));
    }
    sensor.input = 0;
    hal_adc_start(0);
}

level_t sensor_level(uint8_t field)
{
    return sensor.level[field];
}

bool sensor_alive(void)
{
    return sensor.stale < SENSOR_STALE_SECONDS;
}
