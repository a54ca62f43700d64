#include "logic.h"

static void raise(struct field *field, uint8_t event)
{
    field->events = (uint8_t)(field->events | EVENT_BIT(event));
}

static void shut(struct field *field, uint8_t lock, uint8_t event)
{
    field->saved.lock = lock;
    field->pump = false;
    field->saved.filling = false;
    raise(field, event);
}

static void count_override(struct field *field)
{
    if (field->override == OVERRIDE_NONE)
        return;
    if (field->override_left)
        field->override_left--;
    if (field->override_left == 0)
        field->override = OVERRIDE_NONE;
}

/* A sensor that cannot be believed: alarm once, and no pump but by hand. */
static void without_level(struct field *field, level_t level)
{
    uint8_t fault = level == LEVEL_BROKEN ? EVENT_BROKEN : level == LEVEL_SHORT ? EVENT_SHORT : 0;
    if (fault && fault != field->fault && field->saved.automatic) {
        raise(field, fault);
        field->fault = fault;
    }
    field->pump = field->override == OVERRIDE_ON && fault;
}

static void renew_filling(struct field *field, uint8_t fifths, uint8_t minutes)
{
    field->saved.fill_minutes = minutes;
    field->saved.fill_base = fifths;
    field->fill_seconds = 0;
}

/* irr-3: below 30 % report, then try to fill; not risen by 5 points in the filling time: off, alarm, locked. */
static void fill(struct field *field, level_t level, const struct field_times *times)
{
    uint8_t fifths = (uint8_t)((uint16_t)level / 2u); /* at most 149 here */
    if (!field->saved.filling) {
        field->saved.filling = true;
        renew_filling(field, fifths, times->fill);
        if (field->saved.band != BAND_LOW)
            raise(field, EVENT_LOW);
        field->saved.band = BAND_LOW;
    } else if (fifths >= field->saved.fill_base + LEVEL_RISE_FIFTHS) {
        renew_filling(field, fifths, times->fill);
    } else if (field->fill_seconds) {
        field->fill_seconds--;
    } else if (field->saved.fill_minutes) {
        field->saved.fill_minutes--;
        field->fill_seconds = 59;
    } else {
        shut(field, LOCK_NOT_RISING, EVENT_NOT_RISING);
    }
    field->saved.want = true;
}

static void regulate(struct field *field, level_t level, const struct field_times *times)
{
    if (level < LEVEL_LOW) {
        fill(field, level, times);
    } else if (level < LEVEL_MIDDLE) { /* report, pump on */
        if (level >= LEVEL_LOW_LEFT || !field->saved.filling) {
            field->saved.filling = false;
            if (field->saved.band != BAND_MIDDLE)
                raise(field, EVENT_PUMP_ON);
            field->saved.band = BAND_MIDDLE;
        }
        field->saved.want = true;
    } else if (level < LEVEL_HIGH) { /* keep the pump as it is */
        field->saved.filling = false;
    } else { /* report, pump off */
        field->saved.filling = false;
        if (field->saved.band != BAND_HIGH)
            raise(field, EVENT_PUMP_OFF);
        field->saved.band = BAND_HIGH;
        field->saved.want = false;
    }
    field->pump = field->saved.want && field->saved.lock == LOCK_NONE;
}

void field_second(struct field *field, level_t level, const struct field_times *times)
{
    count_override(field);
    if (!level_measured(level)) {
        without_level(field, level);
        return;
    }
    if (field->fault) {
        field->fault = 0;
        if (field->saved.automatic)
            raise(field, EVENT_RECOVERED);
    }
    if (level > LEVEL_FULL) { /* nothing may pump now, not even the button */
        bool by_hand = field->override == OVERRIDE_ON;
        field->override = OVERRIDE_NONE;
        field->pump = false;
        field->saved.want = false;
        if (by_hand || (field->saved.automatic && field->saved.lock != LOCK_OVERFULL))
            shut(field, field->saved.automatic ? LOCK_OVERFULL : LOCK_NONE, EVENT_OVERFULL);
        return;
    }
    if (field->override != OVERRIDE_NONE) {
        field->pump = field->override == OVERRIDE_ON;
        return;
    }
    if (!field->saved.automatic || field->saved.lock != LOCK_NONE) {
        field->pump = false;
        return;
    }
    regulate(field, level, times);
}

/* A command: automatic, "starting from on", and whatever locked the field is released. */
void field_automatic(struct field *field)
{
    field->saved.automatic = true;
    field->saved.want = true;
    field->saved.lock = LOCK_NONE;
    field->override = OVERRIDE_NONE;
    field->saved.filling = false;
    field->saved.band = BAND_NONE;
    field->fault = 0; /* a fault that lasts is told again */
}

void field_off(struct field *field)
{
    field->saved.automatic = false;
    field->saved.want = false;
    field->saved.lock = LOCK_NONE;
    field->override = OVERRIDE_NONE;
    field->saved.filling = false;
    field->saved.band = BAND_NONE;
    field->fault = 0;
    field->pump = false;
}

/* The button turns over what the pump does, for the set time, and releases a lock. Above 100 % it only releases. */
void field_button(struct field *field, level_t level, const struct field_times *times)
{
    bool on = !field->pump;
    if (level == LEVEL_UNKNOWN)
        return;
    if (field->saved.lock != LOCK_NONE) {
        field->saved.lock = LOCK_NONE;
        field->saved.filling = false;
        field->saved.band = BAND_NONE;
    }
    if (on && level > LEVEL_FULL)
        return;
    field->override = on ? OVERRIDE_ON : OVERRIDE_OFF;
    field->override_left = times->override;
    field->pump = on;
}
