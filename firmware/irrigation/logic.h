/*
 * What one field's pump must do: a pure step from (state, level) to state, once a second. The rules are those of the
 * sheet with its erratum irr-3; each is cited where it is decided.
 */
#ifndef LOGIC_H
#define LOGIC_H

#include <stdbool.h>
#include <stdint.h>

#include "level.h"

#define LEVEL_LOW ((level_t)300)
#define LEVEL_LOW_LEFT ((level_t)310) /* one point of hysteresis, so that noise at 30 % does not renew the filling time */
#define LEVEL_MIDDLE ((level_t)600)
#define LEVEL_HIGH ((level_t)850)
#define LEVEL_FULL ((level_t)1000)
#define LEVEL_RISE_FIFTHS 25u /* 5 points */

enum event {
    EVENT_LOW,        /* below 30 %: tank or pump may be faulty, filling is tried */
    EVENT_NOT_RISING, /* the filling time is over: pump off, field locked */
    EVENT_OVERFULL,   /* above 100 %: field shut down */
    EVENT_BROKEN,     /* sensor wire broken */
    EVENT_SHORT,      /* sensor shorted */
    EVENT_PUMP_ON,    /* 30 to 60 % */
    EVENT_PUMP_OFF,   /* 85 % reached */
    EVENT_RECOVERED,  /* the sensor works again */
    EVENTS,
};

#define EVENT_BIT(event) ((uint8_t)(1u << (event)))
#define EVENT_ALARMS                                                                                                   \
    ((uint8_t)(EVENT_BIT(EVENT_LOW) | EVENT_BIT(EVENT_NOT_RISING) | EVENT_BIT(EVENT_OVERFULL) |                        \
               EVENT_BIT(EVENT_BROKEN) | EVENT_BIT(EVENT_SHORT)))

enum lock {
    LOCK_NONE,
    LOCK_NOT_RISING,
    LOCK_OVERFULL,
};

enum override {
    OVERRIDE_NONE,
    OVERRIDE_ON,
    OVERRIDE_OFF,
};

enum band {
    BAND_NONE,
    BAND_LOW,
    BAND_MIDDLE,
    BAND_HIGH,
};

/* What outlives a power cut. */
struct field_saved {
    bool automatic;
    bool want;            /* what hysteresis remembers: the pump would be on */
    bool filling;         /* below 30 %, the filling time runs */
    uint8_t lock;
    uint8_t band;         /* the last band reported */
    uint8_t fill_minutes; /* whole minutes left; the seconds are forgotten, so power cuts cannot stretch the time */
    uint8_t fill_base;    /* the level it is measured from, in fifths of a percent */
    uint8_t alarms;       /* that have not gone out */
};

struct field {
    struct field_saved saved;
    bool pump; /* the output */
    uint8_t override;
    uint8_t fault; /* EVENT_BROKEN or EVENT_SHORT while it lasts, else 0 */
    uint8_t events;
    uint8_t fill_seconds;
    uint16_t override_left; /* s */
};

struct field_times {
    uint8_t fill;      /* minutes */
    uint16_t override; /* s */
};

void field_second(struct field *field, level_t level, const struct field_times *times);
void field_automatic(struct field *field);
void field_off(struct field *field);
void field_button(struct field *field, level_t level, const struct field_times *times);

#endif
