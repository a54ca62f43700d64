/* The house lamps put together. */
#include <string.h>

#include "board.h"
#include "commands.h"
#include "gsm.h"
#include "record.h"
#include "settings.h"

#define ANSWERS 4u
#define OWNER 0u

/*
 * Wrong messages are answered, but not without bound: two boards that have each other's numbers, or an operator's
 * advertisements to an open board, would talk until the credit is gone.
 */
#define WRONG_BURST 4u
#define WRONG_REFILL_SECONDS 300u

struct answer {
    char number[PHONE_SIZE];
    uint8_t command;
    uint8_t lamps; /* the state to tell */
};

static struct {
    uint8_t lamps;
    uint8_t ticks;
    uint8_t wrong_left;
    uint16_t wrong_refill; /* s */
    bool ready_wanted;
    bool ready_tried; /* the network has taken or refused "Ready", or none is due */
    bool busy;        /* a command is carried out: the indicator is off until its answer went out or was refused */
    struct answer answers[ANSWERS];
    uint8_t first;
    uint8_t count;
    bool sending_ready;
    uint8_t place;
} house;

static void save(void)
{
    state_put(0, &house.lamps, 1);
    state_commit();
}

static void show(void)
{
    hal_indicator(gsm_status() == GSM_READY && house.ready_tried && !house.busy);
}

/* A full queue forgets the oldest answer: the newest state is what its reader needs. */
static void answer(const char *number, uint8_t command)
{
    if (house.count == ANSWERS) {
        house.first = (uint8_t)((house.first + 1u) % ANSWERS);
        house.count--;
    }
    struct answer *place = &house.answers[(uint8_t)(house.first + house.count) % ANSWERS];
    house.count++;
    memcpy(place->number, number, PHONE_SIZE);
    place->command = command;
    place->lamps = house.lamps;
}

static void second(void)
{
    save();
    if (++house.wrong_refill >= WRONG_REFILL_SECONDS) {
        house.wrong_refill = 0;
        if (house.wrong_left < WRONG_BURST)
            house.wrong_left++;
    }
}

void lamps_start(void)
{
    FRESH(house);
    settings_load();
    if (state_load()) {
        state_get(0, &house.lamps, 1);
        house.lamps &= COMMAND_LAMP_MASK;
    }
    hal_lamps(house.lamps);
    house.wrong_left = WRONG_BURST;
    house.ready_wanted = hal_power_was_off();
    house.ready_tried = !house.ready_wanted;
    gsm_start();
}

void lamps_poll(void)
{
    uint8_t ticks = hal_ticks();
    if (ticks)
        hal_watchdog_kick();
    gsm_poll(ticks);
    for (; ticks; ticks--) {
        state_poll();
        if (++house.ticks >= TICKS_PER_SECOND) {
            house.ticks = 0;
            second();
        }
    }
    show();
}

uint8_t application_parse(const char *text, bool whole)
{
#ifdef TEST_HANG
    if (strcmp(text, "#HANG") == 0)
        for (;;) { /* only in the test image: the watchdog must end this */
        }
#endif
    return command_parse(text, whole);
}

void application_command(char *sender, uint8_t command)
{
    if (!settings_sender_allowed(sender))
        return;
    house.busy = true;
    show();
    if (command & COMMAND_LAMPS) {
        uint8_t named = command & COMMAND_LAMP_MASK;
        house.lamps = (uint8_t)((command & COMMAND_ON) ? (house.lamps | named) : (house.lamps & (uint8_t)~named));
        hal_lamps(house.lamps);
    } else if (command & COMMAND_WRONG) {
        if (!house.wrong_left) {
            house.busy = house.count > 0;
            return;
        }
        house.wrong_left--;
    }
    answer(sender, command);
}

bool application_outgoing(char *number)
{
    house.place = 0;
    house.sending_ready = house.ready_wanted;
    if (house.ready_wanted) {
        if (settings_number(OWNER, number))
            return true;
        house.ready_wanted = false; /* nobody to tell */
        house.ready_tried = true;
    }
    house.sending_ready = false;
    if (!house.count)
        return false;
    memcpy(number, house.answers[house.first].number, PHONE_SIZE);
    return true;
}

char application_outgoing_character(void)
{
    const struct answer *first = &house.answers[house.first];
    uint8_t place = house.place++;
    if (house.sending_ready)
        return answer_character(COMMAND_READY, 0, place);
    return answer_character(first->command, first->lamps, place);
}

void application_outgoing_done(bool sent)
{
    if (house.sending_ready) {
        house.ready_tried = true;
        if (sent)
            house.ready_wanted = false;
        return;
    }
    house.busy = false;
    if (sent && house.count) {
        house.first = (uint8_t)((house.first + 1u) % ANSWERS);
        house.count--;
    }
    if (sent && house.count)
        house.busy = true;
}
