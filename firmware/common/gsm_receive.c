/* What the modem says: lines, headers, and bodies that must not be taken for lines. */
#include <string.h>

#include "flash.h"
#include "gsm_state.h"

/* The nth quoted string of the header (0 the first) into the sender; "" when there is none or it is too long. */
static void take_sender(uint8_t nth)
{
    struct modem *gsm = self();
    const char *text = gsm->line.text;
    gsm->sender[0] = '\0';
    for (uint8_t quotes = (uint8_t)(nth * 2u + 1u); quotes; quotes--) {
        while (*text && *text != '"')
            text++;
        if (!*text)
            return;
        text++;
    }
    uint8_t length = 0;
    while (text[length] && text[length] != '"')
        length++;
    if (text[length] != '"' || length >= PHONE_SIZE)
        return;
    memcpy(gsm->sender, text, length);
    gsm->sender[length] = '\0';
}

static void body_complete(void)
{
    struct modem *gsm = self();
    if (!gsm->header_direct)
        gsm->message_read = true;
    if (gsm->header_wanted && !gsm->command_held && !gsm->command_ready) {
        gsm->command = application_parse(gsm->line.text, !gsm->line.cut);
        if (gsm->header_direct)
            gsm->command_ready = true;
        else
            gsm->command_held = true;
    }
    line_clear(&gsm->line);
}

static void header(bool direct)
{
    struct modem *gsm = self();
    bool received = direct || line_starts(&gsm->line, FLASH_TEXT("+CMGR: \"REC"));
    bool busy = gsm->command_held || gsm->command_ready;
    gsm->header_direct = direct;
    gsm->header_wanted = received && !busy; /* a second one in the same moment: the sender's place is taken */
    if (!busy)
        take_sender(direct ? 0 : 1);
    /* ...,<dcs>,<sca>,<tosca>,<length>: there when <tosca>, 128 or more, is. */
    bool has_length = gsm->line.field[1] >= 128u;
    bool readable = (gsm->line.field[3] & 0x0Cu) == 0;
    uint16_t length = gsm->line.field[0];
    line_clear(&gsm->line);
    if (has_length && readable) {
        gsm->body_left = length;
        gsm->receiving = RECEIVE_COUNTED;
        if (length == 0) {
            body_complete();
            gsm->receiving = RECEIVE_LINES;
        }
    } else {
        gsm->line.cut = has_length; /* 8-bit or UCS2, shown as hexadecimal: not a command, whatever it spells */
        gsm->receiving = RECEIVE_BODY;
    }
}

/* One is remembered; when more come at once, the check counts what is in the SIM and looks for it. */
static void announce(uint16_t index)
{
    struct modem *gsm = self();
    if (gsm->announced == 0 && index > 0 && index <= SLOTS_MOST)
        gsm->announced = (uint8_t)index;
    else
        gsm->check = 0;
}

static void memory_counted(uint16_t used, uint16_t slots)
{
    struct modem *gsm = self();
    gsm->slots = slots < SLOTS_MOST ? (uint8_t)slots : SLOTS_MOST;
    gsm->sweep_left = (uint8_t)used; /* a wrong count only ends or prolongs the search */
    gsm->sweep = (gsm->sweep_left && gsm->slots && !gsm->announced) ? 1u : 0u;
}

static void result_line(void)
{
    struct modem *gsm = self();
    if (line_starts(&gsm->line, FLASH_TEXT("OK"))) {
        if (gsm->waiting && (gsm->step != STEP_SEND || gsm->sending == SENDING_RESULT))
            gsm_finished_well();
    } else if (line_starts(&gsm->line, FLASH_TEXT("ERROR")) || line_starts(&gsm->line, FLASH_TEXT("+CMS ERROR:")) ||
               line_starts(&gsm->line, FLASH_TEXT("+CME ERROR:"))) {
        if (gsm->waiting)
            gsm_finished_badly();
    }
}

static void information_line(void)
{
    struct modem *gsm = self();
    uint16_t last = gsm->line.field[0];
    switch (gsm->step) {
    case STEP_PIN:
        if (line_starts(&gsm->line, FLASH_TEXT("+CPIN: READY")))
            gsm_proceed(STEP_PIN + 1u, SECONDS(1)); /* Wavecom says no "OK" after it; others' comes in the pause */
        break;
    case STEP_REGISTRATION:
        if (line_starts(&gsm->line, FLASH_TEXT("+CREG:")))
            gsm->answered = last == 1u || last == 5u; /* at home, or roaming */
        break;
    case STEP_MEMORY:
        if (line_starts(&gsm->line, FLASH_TEXT("+CPMS:")))
            memory_counted(gsm->line.field[1], last);
        break;
    case STEP_STILL_TEXT:
        if (line_starts(&gsm->line, FLASH_TEXT("+CMGF:")))
            gsm->answered = last == 1u;
        break;
    case STEP_SEND:
        if (gsm->sending == SENDING_RESULT && line_starts(&gsm->line, FLASH_TEXT("+CMGS:")))
            gsm->answered = true;
        break;
    default:
        break;
    }
}

static void take_line(void)
{
    struct modem *gsm = self();
    if (line_starts(&gsm->line, FLASH_TEXT("+CMTI:"))) {
        announce(gsm->line.field[0]);
    } else if (line_starts(&gsm->line, FLASH_TEXT("+CMT:"))) {
        header(true);
        return;
    } else if (line_starts(&gsm->line, FLASH_TEXT("+CMGR:"))) {
        if (gsm->waiting && gsm->step == STEP_READ && !gsm->message_read) {
            header(false);
            return;
        }
    } else if (line_starts(&gsm->line, FLASH_TEXT("+WIND:"))) {
        if (gsm->line.field[0] == 3u && gsm->status == GSM_READY)
            gsm_restart(); /* Wavecom: it has just started, our set-up is lost */
    } else {
        if (gsm->waiting)
            information_line();
        result_line();
    }
    line_clear(&gsm->line);
}

void gsm_receive(uint8_t byte)
{
    struct modem *gsm = self();
    bool newline = gsm->skip_newline && byte == '\n';
    gsm->skip_newline = false;
    if (newline)
        return;
    switch (gsm->receiving) {
    case RECEIVE_COUNTED:
        line_append(&gsm->line, byte);
        if (--gsm->body_left == 0) {
            body_complete();
            gsm->receiving = RECEIVE_AFTER;
        }
        return;
    case RECEIVE_AFTER:
        gsm->receiving = (byte == '\r' || byte == '\n') ? RECEIVE_LINES : RECEIVE_DRAIN;
        return;
    case RECEIVE_BODY:
        if (byte == '\r' || byte == '\n') {
            body_complete();
            gsm->receiving = RECEIVE_DRAIN;
        } else {
            line_append(&gsm->line, byte);
        }
        return;
    case RECEIVE_DRAIN:
        return;
    default:
        break;
    }
    if (line_feed(&gsm->line, byte)) {
        take_line();
        gsm->skip_newline = byte == '\r';
    } else if (gsm->sending == SENDING_PROMPT && gsm->line.length == 1u && gsm->line.text[0] == '>') {
        gsm->sending = SENDING_TEXT;
        gsm->timer = NETWORK_TIME;
        line_clear(&gsm->line);
    }
}

/* The line is silent: a body that has not come to its end has no more to come. */
void gsm_settle(void)
{
    struct modem *gsm = self();
    bool draining = gsm->receiving == RECEIVE_DRAIN && gsm->silence >= QUIET;
    bool broken_off = gsm->receiving != RECEIVE_LINES && gsm->silence >= RESYNC;
    if (!draining && !broken_off)
        return;
    if (gsm->receiving == RECEIVE_COUNTED || gsm->receiving == RECEIVE_BODY) {
        gsm->line.cut = true;
        body_complete();
    }
    gsm->receiving = RECEIVE_LINES;
    line_clear(&gsm->line);
    if (gsm->waiting && gsm->step == STEP_READ)
        gsm_finished_well();
}
