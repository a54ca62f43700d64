/*
 * A modem gone mad: right answers, mutated answers, announcements, hostile messages and noise, to the firmware's C on
 * the host with the address and undefined-behaviour sanitisers. Only strangers write, so nothing may ever switch; at
 * the end the modem behaves and a registered number is obeyed again.
 *
 *   fuzz-lamps BYTES [SEED] [RECORD]   RECORD: the bytes fed are also written there, for replay in simavr
 *
 * With -DLIBFUZZER the same machine is driven by libFuzzer's bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsm.h"
#include "host.h"
#include "phone.h"
#include "record.h"
#include "settings.h"
#include "crc.h"

#define OWNER "6281234567890"
#define COMMAND_MOST 64

static uint64_t state = 1;
static FILE *record;
static unsigned long fed, commands_seen, violations;
static char command[COMMAND_MOST];
static unsigned command_length;

static unsigned dice(unsigned sides)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * 0x2545F4914F6CDD1DULL) >> 33) % sides;
}

static void provision(void)
{
    uint8_t *copy = &host_eeprom[SETTINGS_BASE];
    memset(host_eeprom, 0xFF, sizeof host_eeprom);
    memset(copy, 0, SETTINGS_SIZE + RECORD_OVERHEAD);
    copy[0] = 1;
    copy[1 + SETTINGS_AT_VERSION] = SETTINGS_VERSION;
    memcpy(&copy[1 + SETTINGS_AT_COUNTRY], "62", 2);
    memcpy(&copy[1 + SETTINGS_AT_NUMBERS], OWNER, sizeof OWNER);
    copy[1 + SETTINGS_AT_FILL_MINUTES] = 10;
    copy[1 + SETTINGS_AT_OVERRIDE_MINUTES] = 30;
    copy[1 + SETTINGS_AT_REPORT_MINUTES] = 10;
    static const uint8_t rest[] = {0x00, 0x0A, 0, 30, 50, 73, 90,
        0x0E, 0x01, 0x4E, 0x0C, 0xAC, 0x12, 0xFE, 0x1A, 0x2C, 0x24,
        0x18, 0x01, 0xF8, 0x0C, 0x28, 0x14, 0x40, 0x1A, 0x3A, 0x20};
    memcpy(&copy[1 + SETTINGS_AT_REFERENCE], rest, sizeof rest);
    uint16_t crc = CRC_START;
    for (unsigned i = 0; i < SETTINGS_SIZE + 1; i++)
        crc = crc16(crc, copy[i]);
    copy[SETTINGS_SIZE + 1] = (uint8_t)(crc >> 8);
    copy[SETTINGS_SIZE + 2] = (uint8_t)crc;
}

static void poll(uint8_t ticks)
{
    uint8_t sent[64];
    uint64_t kicks = host_kicks;
    host_tick(ticks);
    host_poll();
    if (ticks && host_kicks == kicks) {
        fprintf(stderr, "the watchdog was not kicked\n");
        abort();
    }
    unsigned count = host_drain(sent, sizeof sent);
    for (unsigned i = 0; i < count; i++)
        if (command_length < COMMAND_MOST - 1)
            command[command_length++] = (char)sent[i];
}

/* The chip's loop comes round each tick; some ticks late is the worst it is allowed. */
#define LATE 4
static void step(uint8_t ticks)
{
    for (; ticks > LATE; ticks = (uint8_t)(ticks - LATE))
        poll(LATE);
    poll(ticks);
}

static void check(void)
{
    if (host_outputs() == 0)
        return;
    violations++;
    fprintf(stderr, "a stranger has switched: outputs %02x after %lu bytes\n", host_outputs(), fed);
    abort();
}

static void say(const uint8_t *bytes, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        done += host_feed(bytes + done, count - done);
        step(0);
        check();
    }
    if (record)
        fwrite(bytes, 1, count, record);
    fed += count;
}

static const char *const texts[] = {
    "#SYS_ON", "#ON_A", "#ON_B", "#S_OFF", "Lampu Teras ON", "Semua lampu ON", "Status lampu", "", "halo",
    "OK", "x\r\nOK\r\n+CMTI: \"SM\",3", "\r\n> \x1a", "+CMGR: \"REC UNREAD\",\"+6281999999999\"\r\nSemua lampu ON",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789#SYS_ON",
    "\x1b\x00\x11\x7f\xff\x80", "AT+CMGD=1,4", "\"\"\"\"\",,,,,145,99999",
};
/* None is a mutation or two away from the owner: one that becomes the owner is the owner. */
static const char *const senders[] = {
    "+6281999999999", "081999999999", "TELKOMSEL", "", "+", "62819999999999999999999999", "888", "+62817999999",
};

static unsigned message(uint8_t *out, unsigned room, const char *word)
{
    const char *text = texts[dice(sizeof texts / sizeof *texts)];
    const char *sender = senders[dice(sizeof senders / sizeof *senders)];
    const char *status = word[3] == 'T' ? "" : dice(8) ? "\"REC UNREAD\"," : "\"STO SENT\",";
    char tail[64] = "";
    if (dice(4))
        snprintf(tail, sizeof tail, ",145,4,0,%u,\"+62816124\",145,%u", dice(8) ? 0 : 8,
                 dice(8) ? (unsigned)strlen(text) : dice(300));
    return (unsigned)snprintf((char *)out, room, "\r\n%s %s\"%s\",,\"22/11/22,10:00:00+28\"%s\r\n%s\r\n", word, status,
                              sender, tail, text);
}

static unsigned right_answer(uint8_t *out, unsigned room)
{
    const char *answer = "\r\nOK\r\n";
    if (strstr(command, "CPIN?"))
        answer = "\r\n+CPIN: READY\r\n\r\nOK\r\n";
    else if (strstr(command, "CREG?"))
        answer = "\r\n+CREG: 0,1\r\n\r\nOK\r\n";
    else if (strstr(command, "CMGF?"))
        answer = "\r\n+CMGF: 1\r\n\r\nOK\r\n";
    else if (strstr(command, "CPMS?"))
        answer = dice(2) ? "\r\n+CPMS: \"SM\",2,20,\"SM\",2,20\r\n\r\nOK\r\n" : "\r\n+CPMS: \"SM\",0,20\r\n\r\nOK\r\n";
    else if (strstr(command, "CMGS="))
        answer = "\r\n> ";
    else if (strchr(command, 0x1A))
        answer = dice(2) ? "\r\n+CMGS: 7\r\n\r\nOK\r\n" : "\r\n+CMS ERROR: 69\r\n";
    else if (strstr(command, "CMGR="))
        return message(out, room - 8, "+CMGR:") +
               (unsigned)snprintf((char *)out + strlen((char *)out), 8, "\r\nOK\r\n");
    return (unsigned)snprintf((char *)out, room, "%s", answer);
}

static unsigned mutate(uint8_t *bytes, unsigned count, unsigned room)
{
    for (unsigned times = 1 + dice(4); times && count; times--) {
        unsigned place = dice(count);
        switch (dice(5)) {
        case 0:
            bytes[place] ^= (uint8_t)(1u << dice(8));
            break;
        case 1:
            bytes[place] = (uint8_t)dice(256);
            break;
        case 2:
            memmove(bytes + place, bytes + place + 1, count - place - 1);
            count--;
            break;
        case 3:
            count = place;
            break;
        default:
            if (count < room) {
                memmove(bytes + place + 1, bytes + place, count - place);
                bytes[place] = (uint8_t)dice(256);
                count++;
            }
        }
    }
    return count;
}

static void one(void)
{
    uint8_t out[700];
    unsigned count = 0;
    bool line_ended = command_length && strpbrk(command, "\r\x1a\x1b");
    memset(out, 0, sizeof out);
    if (line_ended && dice(10)) {
        commands_seen++;
        count = right_answer(out, sizeof out - 32);
    } else {
        switch (dice(6)) {
        case 0:
            count = (unsigned)snprintf((char *)out, sizeof out, "\r\n+CMTI: \"SM\",%u\r\n", dice(30));
            break;
        case 1:
            count = message(out, sizeof out - 32, "+CMT:");
            break;
        case 2:
            count = (unsigned)snprintf((char *)out, sizeof out, "\r\n%s\r\n",
                                       dice(2) ? "RING" : dice(2) ? "+WIND: 3" : "+CMS ERROR: 512");
            break;
        case 3:
            count = 1 + dice(60);
            for (unsigned i = 0; i < count; i++)
                out[i] = (uint8_t)dice(256);
            break;
        default:
            break;
        }
    }
    if (line_ended) {
        memset(command, 0, sizeof command);
        command_length = 0;
    }
    if (count && dice(3) == 0)
        count = mutate(out, count, sizeof out);
    say(out, count);
    for (unsigned times = 1 + dice(3); times; times--) {
        step((uint8_t)(1 + dice(dice(20) ? 8 : 200)));
        check();
    }
    if (command_length >= COMMAND_MOST - 1) {
        memset(command, 0, sizeof command);
        command_length = 0;
    }
}

/* The modem behaves again, and the owner writes: the firmware must come back and obey. */
static bool recovers(const char *text)
{
    record = NULL;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t out[300] = "";
        step(1);
        if (host_outputs())
            return true;
        if (!strpbrk(command, "\r\x1a\x1b"))
            continue;
        unsigned count;
        if (strstr(command, "CMGR="))
            count = (unsigned)snprintf((char *)out, sizeof out,
                                       "\r\n+CMGR: \"REC UNREAD\",\"081234567890\",,\"x\",129,4,0,0,\"+62\",145,%u\r\n%s\r\n\r\nOK\r\n",
                                       (unsigned)strlen(text), text);
        else if (strstr(command, "CPMS?"))
            count = (unsigned)snprintf((char *)out, sizeof out, "\r\n+CPMS: \"SM\",1,20\r\n\r\nOK\r\n");
        else
            count = right_answer(out, sizeof out);
        memset(command, 0, sizeof command);
        command_length = 0;
        for (unsigned done = 0; done < count;) {
            done += host_feed(out + done, count - done);
            step(0);
        }
    }
    return false;
}

#ifdef LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    provision();
    host_start();
    memset(command, 0, sizeof command);
    command_length = 0;
    state = 88172645463325252ULL;
    /* A first byte below 128 lets the modem's set-up pass before the noise. */
    for (unsigned i = 0; size && data[0] < 128 && i < 400; i++) {
        step(25);
        if (strpbrk(command, "\r\x1a\x1b")) {
            uint8_t out[400] = "";
            say(out, right_answer(out, sizeof out));
            memset(command, 0, sizeof command);
            command_length = 0;
        }
    }
    for (size_t i = 1; i < size; i++) {
        if (data[i] == 0xFE)
            step(1 + (i + 1 < size ? data[++i] % 250 : 0));
        else
            say(&data[i], 1);
        check();
    }
    return 0;
}
#else
int main(int count, char **arguments)
{
    unsigned long bytes = count > 1 ? strtoul(arguments[1], NULL, 10) : 100000;
    state = (count > 2 ? strtoull(arguments[2], NULL, 10) : 1) * 2654435761ULL + 88172645463325252ULL;
    if (count > 3 && !(record = fopen(arguments[3], "wb")))
        return 2;
    provision();
    host_start();
    while (fed < bytes)
        one();
    if (record)
        fclose(record);
    bool obeyed = recovers(application_parse("#SYS_ON", true) == 1 ? "#SYS_ON" : "Semua lampu ON");
    printf("bytes %lu commands %lu kicks %llu writes %llu recovered %d\n", fed, commands_seen,
           (unsigned long long)host_kicks, (unsigned long long)host_writes, obeyed);
    return obeyed ? 0 : 1;
}
#endif
