/*
 * The modem's line. Towards the ATmega8535 whole characters, one each ten bit times, into its USART; towards the
 * ATmega328P the level of a pin, bit by bit, and back by sampling the middle of each bit.
 */
#include <stdlib.h>

#include "machine.h"

#define RECEIVE_PORT 1 /* B */
#define RECEIVE_PIN 2

static struct {
    uint8_t *bytes;
    size_t first, last, room;
    double baud;
    double next; /* cycle of the next bit's edge, with its fraction */
    unsigned bit;
    uint16_t frame;
    bool busy;
    bool chip_high, decoding;
    unsigned decoded;
    uint16_t decode;
    double sample;
} line = {.baud = 9600, .chip_high = true};

static double bit_cycles(void)
{
    return machine.avr->frequency / line.baud;
}

static avr_cycle_count_t step(avr_t *avr, avr_cycle_count_t when, void *parameter);

static void schedule(double cycle)
{
    line.next = cycle;
    double wait = cycle - (double)machine.avr->cycle;
    avr_cycle_timer_register(machine.avr, wait < 1 ? 1 : (avr_cycle_count_t)wait, step, NULL);
}

static void drive(bool high)
{
    machine_drive(RECEIVE_PORT, RECEIVE_PIN, high);
}

static void start(double at)
{
    line.busy = line.first < line.last;
    if (!line.busy) {
        line.first = line.last = 0;
        return;
    }
    if (machine.lamps) {
        line.frame = (uint16_t)(line.bytes[line.first] << 1 | 0x200);
        line.bit = 0;
        schedule(at);
    } else {
        schedule(at + 10 * bit_cycles());
    }
}

static avr_cycle_count_t step(avr_t *avr, avr_cycle_count_t when, void *parameter)
{
    if (!machine.lamps) {
        usart_receive(line.bytes[line.first++], line.baud);
        start(line.next);
        return 0;
    }
    if (line.bit < 10) {
        drive(line.frame >> line.bit++ & 1);
        schedule(line.next + bit_cycles());
        return 0;
    }
    line.first++;
    machine.received++;
    start(line.next);
    return 0;
}

void line_queue(uint8_t byte)
{
    if (!machine.powered)
        return;
    if (line.last == line.room) {
        line.room = line.room ? line.room * 2 : 1024;
        line.bytes = realloc(line.bytes, line.room);
    }
    line.bytes[line.last++] = byte;
    if (!line.busy)
        start((double)machine.avr->cycle + 1);
}

unsigned line_waiting(void)
{
    return (unsigned)(line.last - line.first);
}

void line_set_baud(double baud)
{
    line.baud = baud;
}

void line_power_off(void)
{
    line.first = line.last = 0;
    line.busy = false;
    line.decoding = false;
}

/* After a reset of the chip all of simavr's timers are gone: go on with the character that was cut. */
void line_reset(void)
{
    line.decoding = false;
    line.chip_high = true;
    if (machine.lamps)
        drive(true);
    if (line.busy)
        start((double)machine.avr->cycle + bit_cycles());
}

void line_from_chip(uint8_t byte)
{
    machine.sent++;
    machine_event("tx %02x", byte);
    if (machine.stop_at_every_byte || byte == '\r' || byte == 0x1A || byte == 0x1B)
        machine.stop = true;
}

static avr_cycle_count_t sample(avr_t *avr, avr_cycle_count_t when, void *parameter)
{
    line.decode = (uint16_t)(line.decode | line.chip_high << line.decoded++);
    if (line.decoded < 9) {
        line.sample += bit_cycles();
        return (avr_cycle_count_t)line.sample;
    }
    line.decoding = false;
    if (line.decode >> 8 & 1)
        line_from_chip((uint8_t)line.decode);
    else
        machine.framing_errors++;
    return 0;
}

void line_chip_pin(bool high)
{
    bool falls = line.chip_high && !high;
    line.chip_high = high;
    if (!falls || line.decoding)
        return;
    line.decoding = true;
    line.decoded = 0;
    line.decode = 0;
    line.sample = (double)machine.avr->cycle + 1.5 * bit_cycles();
    avr_cycle_timer_register(machine.avr, (avr_cycle_count_t)(1.5 * bit_cycles()), sample, NULL);
}
