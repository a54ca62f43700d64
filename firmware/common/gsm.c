#include "gsm.h"

#include "flash.h"
#include "gsm_state.h"
#include "hal.h"

#define ANSWER_TIME SECONDS(5)
#define CHECK_SECONDS 30u
#define HOLD_FIRST_SECONDS 30u
#define HOLD_MOST_SECONDS 960u
#define FAILURES_MUTE 3u

#define ESCAPE 0x1Bu
#define CONTROL_Z 0x1Au

struct modem gsm_modem;

static const char text_synchronise[] FLASH = "AT";
static const char text_echo[] FLASH = "ATE0";
static const char text_error_codes[] FLASH = "AT+CMEE=1";
static const char text_pin[] FLASH = "AT+CPIN?";
static const char text_character_set[] FLASH = "AT+CSCS=\"IRA\"";
static const char text_text_mode[] FLASH = "AT+CMGF=1";
static const char text_headers[] FLASH = "AT+CSDH=1";
static const char text_notify[] FLASH = "AT+CNMI=2,1,0,0,0";
static const char text_registration[] FLASH = "AT+CREG?";
static const char text_memory[] FLASH = "AT+CPMS?";
static const char text_still_text[] FLASH = "AT+CMGF?";
static const char text_read[] FLASH = "AT+CMGR=";
static const char text_delete[] FLASH = "AT+CMGD=";
static const char text_send[] FLASH = "AT+CMGS=\"+";

static const char *const step_text[] FLASH = {
    text_synchronise,   text_pin,     text_text_mode, text_echo,         text_error_codes,
    text_character_set, text_headers, text_notify,    text_registration, text_memory,
    text_still_text,    0,            text_read,      text_delete,       text_send,
};

/* The ring holds the longest of our commands, and a command is only started when the ring is empty. */
static void put(char character)
{
    (void)hal_serial_put((uint8_t)character);
}

static void put_flash(const char *text)
{
    for (char c = (char)flash_byte(text); c; c = (char)flash_byte(++text))
        put(c);
}

static void put_index(uint8_t index) /* below 100 */
{
    char tens = '0';
    for (; index >= 10u; index = (uint8_t)(index - 10u))
        tens++;
    put(tens);
    put((char)('0' + index));
}

static void issue(uint8_t step)
{
    struct modem *gsm = self();
    gsm->step = step;
    gsm->waiting = true;
    gsm->answered = false;
    gsm->message_read = false;
    gsm->timer = ANSWER_TIME;
    if (step == STEP_SYNCHRONISE) {
        gsm->timer = SECONDS(1);
        put((char)ESCAPE); /* out of a prompt that a reset of ours left open */
        put('\r');
    }
    put_flash(flash_pointer(&step_text[step]));
    if (step == STEP_READ || step == STEP_DELETE)
        put_index(gsm->index);
    if (step == STEP_SEND) {
        for (const char *digit = gsm->number; *digit; digit++)
            put(*digit);
        put('"');
        gsm->sending = SENDING_PROMPT;
    }
    put('\r');
}

void gsm_proceed(uint8_t step, uint16_t pause)
{
    struct modem *gsm = self();
    gsm->waiting = false;
    gsm->sending = SENDING_NOTHING;
    gsm->step = step;
    gsm->timer = pause;
}

void gsm_restart(void)
{
    struct modem *gsm = self();
    gsm->command_held = false;
    if (gsm->status != GSM_MUTE)
        gsm->status = GSM_STARTING;
    gsm_proceed(STEP_SYNCHRONISE, SECONDS(1));
}

static void slot_done(void)
{
    struct modem *gsm = self();
    if (gsm->index == gsm->announced)
        gsm->announced = 0;
    if (gsm->index == gsm->sweep)
        gsm->sweep = (gsm->sweep < gsm->slots && gsm->sweep_left > 0) ? (uint8_t)(gsm->sweep + 1u) : 0u;
}

static void sending_failed(void)
{
    struct modem *gsm = self();
    application_outgoing_done(false);
    gsm->hold = gsm->hold_next;
    gsm->hold_next = gsm->hold_next < HOLD_MOST_SECONDS / 2u ? (uint16_t)(gsm->hold_next * 2u) : HOLD_MOST_SECONDS;
}

void gsm_finished_well(void)
{
    struct modem *gsm = self();
    gsm->failures = 0;
    switch (gsm->step) {
    case STEP_SYNCHRONISE:
        gsm->status = GSM_STARTING;
        break;
    case STEP_PIN: /* it wants a PIN, or a PUK */
        gsm->status = GSM_NO_SIM;
        gsm_proceed(STEP_PIN, SECONDS(10));
        return;
    case STEP_REGISTRATION:
        if (!gsm->answered) {
            gsm->status = GSM_SEARCHING;
            gsm_proceed(STEP_REGISTRATION, SECONDS(3));
            return;
        }
        break;
    case STEP_STILL_TEXT:
        if (!gsm->answered) { /* it was reset behind our back */
            gsm_restart();
            return;
        }
        gsm->status = GSM_READY;
        gsm->check = CHECK_SECONDS;
        break;
    case STEP_READ:
        if (gsm->message_read) {
            gsm_proceed(STEP_DELETE, 0);
            return;
        }
        slot_done();
        gsm_proceed(STEP_IDLE, 0);
        return;
    case STEP_DELETE:
        if (gsm->sweep_left)
            gsm->sweep_left--;
        slot_done();
        gsm->command_ready = gsm->command_held;
        gsm->command_held = false;
        gsm_proceed(STEP_IDLE, 0);
        return;
    case STEP_SEND:
        if (gsm->answered) {
            application_outgoing_done(true);
            gsm->hold_next = HOLD_FIRST_SECONDS;
        } else {
            sending_failed();
        }
        gsm_proceed(STEP_IDLE, 0);
        return;
    default:
        break;
    }
    gsm_proceed((uint8_t)(gsm->step + 1u), 0);
}

void gsm_finished_badly(void)
{
    struct modem *gsm = self();
    if (gsm->step >= STEP_ECHO && gsm->step <= STEP_NOTIFY) {
        gsm_proceed((uint8_t)(gsm->step + 1u), 0);
        return;
    }
    switch (gsm->step) {
    case STEP_PIN:
        gsm->status = GSM_NO_SIM;
        gsm_proceed(STEP_PIN, SECONDS(10));
        break;
    case STEP_READ: /* an empty slot is an error to some modems */
        slot_done();
        gsm_proceed(STEP_IDLE, 0);
        break;
    case STEP_DELETE: /* it stays in the SIM, so it must not be carried out now; the check finds it again */
        slot_done();
        gsm->command_held = false;
        gsm_proceed(STEP_IDLE, 0);
        break;
    case STEP_SEND:
        sending_failed();
        gsm_proceed(STEP_IDLE, 0);
        break;
    default:
        if (++gsm->failures >= FAILURES_MUTE)
            gsm_restart();
        else
            gsm_proceed(gsm->step, SECONDS(2));
        break;
    }
}

static void timed_out(void)
{
    struct modem *gsm = self();
    if (gsm->step == STEP_SEND) {
        put((char)ESCAPE);
        sending_failed();
    }
    gsm->command_held = false;
    gsm->receiving = RECEIVE_LINES;
    line_clear(&gsm->line);
    if (gsm->failures < 255u)
        gsm->failures++;
    if (gsm->failures >= FAILURES_MUTE) {
        gsm->status = GSM_MUTE;
        gsm_proceed(STEP_SYNCHRONISE, SECONDS(1));
    } else if (gsm->step > STEP_IDLE) {
        gsm_proceed(STEP_REGISTRATION, SECONDS(1)); /* the check tells whether the modem still lives */
    } else {
        gsm_proceed(gsm->step, SECONDS(1));
    }
}

static void stream_text(void)
{
    struct modem *gsm = self();
    if (gsm->sending != SENDING_TEXT)
        return;
    while (hal_serial_sent()) {
        char c = application_outgoing_character();
        if (!c) {
            put((char)CONTROL_Z);
            gsm->sending = SENDING_RESULT;
            return;
        }
        put(c);
    }
}

static void start_next(void)
{
    struct modem *gsm = self();
    if (gsm->step != STEP_IDLE) {
        issue(gsm->step);
        return;
    }
    if (gsm->announced) {
        gsm->index = gsm->announced;
        issue(STEP_READ);
    } else if (gsm->sweep) {
        gsm->index = gsm->sweep;
        issue(STEP_READ);
    } else if (gsm->hold == 0 && application_outgoing(gsm->number)) {
        issue(STEP_SEND);
    } else if (gsm->check == 0) {
        issue(STEP_REGISTRATION);
    }
}

static uint16_t less(uint16_t value, uint8_t ticks)
{
    return value > ticks ? (uint16_t)(value - ticks) : 0u;
}

static void count_seconds(uint8_t ticks)
{
    struct modem *gsm = self();
    if (ticks < TICKS_PER_SECOND - gsm->ticks) {
        gsm->ticks = (uint8_t)(gsm->ticks + ticks);
        return;
    }
    gsm->ticks = 0; /* ticks are few: the loop comes round each tick */
    if (gsm->check)
        gsm->check--;
    if (gsm->hold)
        gsm->hold--;
}

void gsm_start(void)
{
    FRESH(gsm_modem);
    struct modem *gsm = self();
    gsm->hold_next = HOLD_FIRST_SECONDS;
    gsm->timer = SECONDS(1);
}

void gsm_poll(uint8_t ticks)
{
    struct modem *gsm = self();
    uint8_t byte;
    while (hal_serial_get(&byte)) {
        gsm->silence = 0;
        gsm_receive(byte);
    }
    stream_text();
    if (ticks) {
        gsm->silence = (uint8_t)(gsm->silence + ticks) < gsm->silence ? 255u : (uint8_t)(gsm->silence + ticks);
        gsm->timer = less(gsm->timer, ticks);
        count_seconds(ticks);
        gsm_settle();
        if (gsm->waiting && gsm->timer == 0)
            timed_out();
    }
    if (gsm->command_ready && hal_eeprom_ready()) {
        gsm->command_ready = false;
        application_command(gsm->sender, gsm->command);
    }
    if (!gsm->waiting && gsm->timer == 0 && gsm->silence >= QUIET && gsm->receiving == RECEIVE_LINES &&
        hal_serial_sent() && hal_eeprom_ready())
        start_next();
}

enum gsm_status gsm_status(void)
{
    struct modem *gsm = self();
    return (enum gsm_status)gsm->status;
}
