/* The irrigation system put together: what happens each tick, second and minute, and what the modem's driver asks. */
#include <string.h>

#include "board.h"
#include "buttons.h"
#include "flash.h"
#include "gsm.h"
#include "lcd.h"
#include "logic.h"
#include "record.h"
#include "reports.h"
#include "sensor.h"
#include "settings.h"

#define SECONDS_PER_MINUTE 60u
#define FILL_MINUTES 10u
#define OVERRIDE_MINUTES 30u
#define REPORT_MINUTES 10u

_Static_assert(STATE_SIZE == FIELDS * sizeof(struct field_saved), "the state record holds the fields");

enum command {
    COMMAND_NONE = GSM_COMMAND_NONE,
    COMMAND_BOTH,
    COMMAND_A,
    COMMAND_B,
    COMMAND_OFF,
    COMMAND_SYS_OFF,
};

static struct {
    struct field fields[FIELDS];
    struct field_times times;
    uint8_t ticks;
    uint8_t seconds;
    bool second_due;
} irrigation;

static void save(void)
{
    for (uint8_t i = 0; i < FIELDS; i++) {
        irrigation.fields[i].saved.alarms = reports_alarms(i);
        state_put((uint8_t)(i * sizeof(struct field_saved)), &irrigation.fields[i].saved, sizeof(struct field_saved));
    }
    state_commit();
}

static void restore(void)
{
    if (!state_load())
        return;
    for (uint8_t i = 0; i < FIELDS; i++) {
        struct field_saved *saved = &irrigation.fields[i].saved;
        state_get((uint8_t)(i * sizeof(struct field_saved)), saved, sizeof(struct field_saved));
        reports_raise(i, saved->alarms, LEVEL_UNKNOWN);
    }
}

static void apply(void)
{
    hal_pumps(irrigation.fields[0].pump, irrigation.fields[1].pump);
}

static void take_events(void)
{
    for (uint8_t i = 0; i < FIELDS; i++) {
        uint8_t events = irrigation.fields[i].events;
        irrigation.fields[i].events = 0;
        if (events)
            reports_raise(i, events, sensor_level(i));
    }
}

static void second(void)
{
    sensor_second();
    for (uint8_t i = 0; i < FIELDS; i++)
        field_second(&irrigation.fields[i], sensor_level(i), &irrigation.times);
    apply();
    take_events();
    save();
    if (++irrigation.seconds >= SECONDS_PER_MINUTE) {
        irrigation.seconds = 0;
        reports_minute();
    }
}

static void tick(void)
{
    uint8_t pressed = buttons_tick(hal_buttons());
    for (uint8_t i = 0; i < FIELDS; i++)
        if (pressed & (1u << i))
            field_button(&irrigation.fields[i], sensor_level(i), &irrigation.times);
    if (pressed)
        apply();
    lcd_tick();
    state_poll();
    if (++irrigation.ticks >= TICKS_PER_SECOND) {
        irrigation.ticks = 0;
        irrigation.second_due = true;
    }
}

/* The pumps stay off until the sensors have been read: the hardware starts with all outputs low. */
void irrigation_start(void)
{
    FRESH(irrigation);
    settings_load();
    irrigation.times.fill = settings_byte(SETTINGS_AT_FILL_MINUTES, FILL_MINUTES);
    irrigation.times.override =
        (uint16_t)(settings_byte(SETTINGS_AT_OVERRIDE_MINUTES, OVERRIDE_MINUTES) * SECONDS_PER_MINUTE);
    reports_start(settings_byte(SETTINGS_AT_REPORT_MINUTES, REPORT_MINUTES));
    restore();
    sensor_start();
    buttons_start(hal_buttons());
    lcd_start();
    gsm_start();
}

void irrigation_poll(void)
{
    uint8_t ticks = hal_ticks();
    if (ticks && sensor_alive()) /* the tick runs, the loop runs, the converter runs */
        hal_watchdog_kick();
    gsm_poll(ticks);
    sensor_poll();
    for (; ticks; ticks--)
        tick();
    if (irrigation.second_due && hal_eeprom_ready()) {
        irrigation.second_due = false;
        second();
    }
}

/* In the order of enum command; the last two mean the same. */
static const char command_texts[] FLASH = "#SYS_ON\0#ON_A\0#ON_B\0#S_OFF\0#SYS_OFF\0";

static bool blank(char c)
{
    return c == ' ' || c == '\r' || c == '\n';
}

/* Blanks around the command are forgiven, nothing else: what is not a command is ignored. */
uint8_t application_parse(const char *text, bool whole)
{
    if (!whole)
        return COMMAND_NONE;
    while (blank(*text))
        text++;
    uint8_t length = (uint8_t)strlen(text);
    while (length && blank(text[length - 1u]))
        length--;
#ifdef TEST_HANG
    while (length == 5 && text[0] == '#' && text[1] == 'H') { /* only in the test image: the watchdog must end this */
    }
#endif
    const char *known = command_texts;
    for (uint8_t command = COMMAND_BOTH; length && command <= COMMAND_SYS_OFF; command++) {
        uint8_t same = 0;
        while (same < length && (char)flash_byte(known + same) == text[same])
            same++;
        if (same == length && flash_byte(known + same) == 0)
            return command;
        while (flash_byte(known++)) {
        }
    }
    return COMMAND_NONE;
}

void application_command(char *sender, uint8_t command)
{
    if (command == COMMAND_NONE || !settings_sender_allowed(sender))
        return;
    for (uint8_t i = 0; i < FIELDS; i++) {
        bool on = command == COMMAND_BOTH || command == (i ? COMMAND_B : COMMAND_A);
        if (on)
            field_automatic(&irrigation.fields[i]);
        else
            field_off(&irrigation.fields[i]);
    }
    apply();
}

bool application_outgoing(char *number)
{
    return reports_next(number);
}

char application_outgoing_character(void)
{
    return reports_character();
}

void application_outgoing_done(bool sent)
{
    reports_done(sent);
}

static const char words[] FLASH = "OFF AUTOFILLLOCKHAND";
enum word { WORD_OFF, WORD_AUTO, WORD_FILL, WORD_LOCK, WORD_HAND };
static const char faults[] FLASH = " --%OPENSHRT"; /* LEVEL_UNKNOWN, LEVEL_BROKEN, LEVEL_SHORT */
static const char modem_letters[] FLASH = "?!SWG";  /* starting, mute, SIM, searching, ready */

static void copy(char *to, const char *flash_text, uint8_t place)
{
    flash_text += (uint8_t)(place * 4u);
    for (uint8_t i = 0; i < 4; i++)
        to[i] = (char)flash_byte(flash_text + i);
}

static uint8_t mode_word(const struct field *field)
{
    if (field->override != OVERRIDE_NONE)
        return WORD_HAND;
    if (field->saved.lock != LOCK_NONE)
        return WORD_LOCK;
    if (!field->saved.automatic)
        return WORD_OFF;
    return field->saved.filling ? WORD_FILL : WORD_AUTO;
}

static void write_level(char *to, level_t level)
{
    if (!level_measured(level)) {
        copy(to, faults, (uint8_t)(LEVEL_UNKNOWN - level));
        return;
    }
    to[3] = '%';
    to += 2;
    uint8_t percent = (uint8_t)(((uint16_t)level + 5u) / 10u);
    do {
        *to-- = (char)('0' + percent % 10u);
        percent /= 10u;
    } while (percent);
}

/* "A  72% AUTO P* G": field, level, mode, pump, and on the first row the modem, on the second the waiting reports. */
void display_row(uint8_t row, char *text)
{
    const struct field *field = &irrigation.fields[row];
    memset(text, ' ', LCD_COLUMNS);
    text[0] = (char)('A' + row);
    write_level(text + 2, sensor_level(row));
    copy(text + 7, words, mode_word(field));
    text[12] = 'P';
    text[13] = field->pump ? '*' : '-';
    text[15] = row ? (char)('0' + reports_waiting()) : (char)flash_byte(&modem_letters[gsm_status()]);
}
