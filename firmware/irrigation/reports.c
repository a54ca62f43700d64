#include "reports.h"

#include "flash.h"
#include "hal.h"
#include "settings.h"

#define TRIES 3u
#define LEVEL_NOT_KEPT 255u
#define EVERYBODY ((uint8_t)((1u << SETTINGS_NUMBERS) - 1u))

/* %f the field, %l the level. Plain ASCII that is the same in the GSM alphabet; under 160 characters. */
static const char text_low[] FLASH = "Sawah %f: air %l%, di bawah 30%. Pompa mengisi; periksa bak dan pompa.";
static const char text_not_rising[] FLASH = "ALARM sawah %f: air %l% tidak naik. Pompa dikunci.";
static const char text_overfull[] FLASH = "ALARM sawah %f: air %l%. Sistem dimatikan.";
static const char text_broken[] FLASH = "ALARM sawah %f: kabel sensor putus.";
static const char text_short[] FLASH = "ALARM sawah %f: sensor korslet.";
static const char text_pump_on[] FLASH = "Sawah %f: air %l%. Pompa menyala.";
static const char text_pump_off[] FLASH = "Sawah %f: air %l%, cukup. Pompa mati.";
static const char text_recovered[] FLASH = "Sawah %f: sensor pulih, air %l%.";

static const char *const texts[EVENTS] FLASH = {
    text_low, text_not_rising, text_overfull, text_broken, text_short, text_pump_on, text_pump_off, text_recovered,
};

struct place {
    bool pending;
    bool again;      /* raised anew after some have got it */
    uint8_t percent; /* the level when it was raised */
    uint8_t hold;    /* minutes until it may go out again */
};

static struct {
    struct place places[EVENTS * FIELDS]; /* by event, then field: alarms come first */
    struct place *place;                  /* on its way; 0: none */
    uint8_t minutes;
    uint8_t to; /* one bit a number: who has not got it */
    uint8_t recipient;
    uint8_t tries;
    bool delivered;
    uint8_t digits;   /* of the level, still to come */
    const char *text; /* in flash */
} reports;

static uint8_t place_number(void)
{
    return (uint8_t)(reports.place - reports.places);
}

void reports_start(uint8_t minutes)
{
    FRESH(reports);
    reports.minutes = minutes;
}

void reports_raise(uint8_t field, uint8_t events, level_t level)
{
    struct place *place = &reports.places[field];
    for (uint8_t event = 0; event < EVENTS; event++, place += FIELDS, events = (uint8_t)(events >> 1)) {
        if (!(events & 1u))
            continue;
        place->pending = true;
        place->again = place == reports.place && reports.delivered;
        place->percent = level_measured(level) ? (uint8_t)((uint16_t)level / 10u) : LEVEL_NOT_KEPT;
        if (event == EVENT_PUMP_ON)
            place[FIELDS].pending = false;
        if (event == EVENT_PUMP_OFF)
            place[-(int8_t)FIELDS].pending = false;
    }
}

void reports_minute(void)
{
    for (struct place *place = reports.places; place < reports.places + EVENTS * FIELDS; place++)
        if (place->hold)
            place->hold--;
}

uint8_t reports_alarms(uint8_t field)
{
    uint8_t alarms = 0;
    const struct place *place = &reports.places[field];
    for (uint8_t bit = 1; bit & EVENT_ALARMS; bit = (uint8_t)(bit << 1), place += FIELDS)
        if (place->pending)
            alarms |= bit;
    return alarms;
}

uint8_t reports_waiting(void)
{
    uint8_t count = 0;
    for (const struct place *place = reports.places; place < reports.places + EVENTS * FIELDS; place++)
        if (place->pending)
            count++;
    return count;
}

static bool choose(void)
{
    for (struct place *place = reports.places; place < reports.places + EVENTS * FIELDS; place++)
        if (place->pending && !place->hold) {
            reports.place = place;
            reports.to = EVERYBODY;
            reports.recipient = 0;
            reports.tries = 0;
            reports.delivered = false;
            return true;
        }
    return false;
}

static void finish(void)
{
    struct place *place = reports.place;
    place->pending = place->again;
    place->again = false;
    place->hold = reports.minutes;
    reports.place = 0;
}

bool reports_next(char *number)
{
    if (reports.place && !reports.place->pending) /* overtaken while it waited */
        reports.place = 0;
    if (!reports.place && !choose())
        return false;
    uint8_t bit = (uint8_t)(1u << reports.recipient);
    for (; reports.recipient < SETTINGS_NUMBERS; reports.recipient++, bit = (uint8_t)(bit << 1)) {
        if (!(reports.to & bit))
            continue;
        if (settings_number(reports.recipient, number)) {
            reports.text = flash_pointer(&texts[place_number() / FIELDS]);
            reports.digits = 0;
            return true;
        }
        reports.to = (uint8_t)(reports.to & ~bit);
    }
    reports.recipient = 0;
    if (!reports.to || (reports.delivered && ++reports.tries >= TRIES))
        finish(); /* all have it; or some have, and the others' numbers do not take it; or there is nobody */
    return false;
}

static char digit(uint8_t percent)
{
    uint8_t place = reports.digits--;
    if (percent == LEVEL_NOT_KEPT)
        return '?';
    return (char)('0' + (place == 3u ? percent / 100u : place == 2u ? (percent / 10u) % 10u : percent % 10u));
}

char reports_character(void)
{
    uint8_t percent = reports.place->percent;
    if (reports.digits)
        return digit(percent);
    char c = (char)flash_byte(reports.text);
    if (!c)
        return '\0';
    reports.text++;
    if (c != '%')
        return c;
    c = (char)flash_byte(reports.text);
    if (c == 'f') {
        reports.text++;
        return (char)('A' + place_number() % FIELDS);
    }
    if (c == 'l') {
        reports.text++;
        reports.digits = (percent == LEVEL_NOT_KEPT || percent < 10u) ? 1u : percent < 100u ? 2u : 3u;
        return digit(percent);
    }
    return '%';
}

void reports_done(bool sent)
{
    if (sent) {
        reports.to &= (uint8_t)~(1u << reports.recipient);
        reports.delivered = true;
    }
    reports.recipient++;
}
