/*
 * The lamps' board's registers: ATmega328P, 16 MHz, as on an Arduino Uno. The pins are in wiring/lamps.csv.
 *
 * The modem is on pins without a USART, so the serial line is made by Timer1, which runs free at 2 MHz: a pin change
 * is the start bit, compare A then samples the middle of each bit, compare B shifts bits out. The two directions share
 * nothing but the counter, so a reply does not disturb what comes in meanwhile.
 */
#include <avr/eeprom.h>
#include <avr/fuse.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>

#include "board.h"
#include "ring.h"

/* Crystal, brown-out at 4.3 V, watchdog always on, EEPROM kept when the chip is erased, no boot loader. */
FUSES = {
    .low = FUSE_CKSEL3,
    .high = FUSE_SPIEN & FUSE_WDTON & FUSE_EESAVE,
    .extended = FUSE_BODLEVEL0 & FUSE_BODLEVEL1,
};

#define BAUD 9600UL
#define TIMER_HZ (F_CPU / 8UL)
/* 208 1/3 counts a bit: 208, and every third bit one more. */
#define BIT_COUNT ((uint16_t)(TIMER_HZ / BAUD))
#define BIT_THIRDS ((uint8_t)(TIMER_HZ % BAUD * 3UL / BAUD))
#define SAMPLE_DELAY 10u /* counts between the edge and the reading of the counter in the pin change interrupt */
#define TICK_COUNT (F_CPU / 256UL / TICKS_PER_SECOND)

#define RECEIVE PB2
#define SEND PB3
#define TERRACE PD6
#define BEDROOM PD7
#define KITCHEN PB0
#define INDICATOR PB5

static struct ring received;
static struct ring to_send;
static volatile uint8_t ticks;
static uint8_t reset_cause __attribute__((section(".noinit")));

static volatile struct {
    uint8_t bits;  /* still to sample, the stop bit included; 0 at rest */
    uint8_t byte;
    uint8_t third;
} receiver;

static volatile struct {
    uint16_t frame; /* start bit, eight data bits, stop bit, from the lowest */
    uint8_t bits;
    uint8_t third;
} sender;

/* After a watchdog reset the watchdog stays on with its shortest time, and WDRF must be cleared to change that. */
void watchdog_early(void) __attribute__((naked, used, section(".init3")));
void watchdog_early(void)
{
    reset_cause = MCUSR;
    MCUSR = 0;
    wdt_reset();
    wdt_enable(WDTO_2S);
    wdt_reset();
}

static uint16_t bit_time(volatile uint8_t *third)
{
    uint8_t next = (uint8_t)(*third + BIT_THIRDS);
    if (next < 3u) {
        *third = next;
        return BIT_COUNT;
    }
    *third = (uint8_t)(next - 3u);
    return BIT_COUNT + 1u;
}

ISR(PCINT0_vect)
{
    uint16_t now = TCNT1;
    if (PINB & (1u << RECEIVE))
        return;
    PCMSK0 = 0;
    receiver.bits = 9;
    receiver.third = 0;
    OCR1A = (uint16_t)(now + BIT_COUNT + BIT_COUNT / 2u - SAMPLE_DELAY);
    TIFR1 = (1u << OCF1A);
    TIMSK1 |= (1u << OCIE1A);
}

ISR(TIMER1_COMPA_vect)
{
    bool high = (PINB & (1u << RECEIVE)) != 0;
    uint8_t bits = receiver.bits;
    OCR1A = (uint16_t)(OCR1A + bit_time(&receiver.third));
    bits--;
    receiver.bits = bits;
    if (bits) {
        receiver.byte = (uint8_t)((uint8_t)(receiver.byte >> 1) | (high ? 0x80u : 0u));
        return;
    }
    TIMSK1 &= (uint8_t)~(1u << OCIE1A);
    if (high) /* without a stop bit it was no character */
        (void)ring_put(&received, receiver.byte);
    PCIFR = (1u << PCIF0);
    PCMSK0 = (1u << RECEIVE);
}

ISR(TIMER1_COMPB_vect)
{
    OCR1B = (uint16_t)(OCR1B + bit_time(&sender.third));
    if (sender.bits == 0) {
        uint8_t byte;
        if (!ring_get(&to_send, &byte)) {
            TIMSK1 &= (uint8_t)~(1u << OCIE1B);
            return;
        }
        sender.frame = (uint16_t)(0x200u | (uint16_t)((uint16_t)byte << 1));
        sender.bits = 10;
    }
    if (sender.frame & 1u)
        PORTB |= (1u << SEND);
    else
        PORTB &= (uint8_t)~(1u << SEND);
    sender.frame >>= 1;
    sender.bits--;
}

ISR(TIMER0_COMPA_vect)
{
    if (ticks < 255u)
        ticks++;
}

bool hal_serial_get(uint8_t *byte)
{
    return ring_get(&received, byte);
}

bool hal_serial_put(uint8_t byte)
{
    bool put = ring_put(&to_send, byte);
    cli();
    if (!(TIMSK1 & (1u << OCIE1B))) {
        OCR1B = (uint16_t)(TCNT1 + BIT_COUNT);
        TIFR1 = (1u << OCF1B);
        TIMSK1 |= (1u << OCIE1B);
    }
    sei();
    return put;
}

bool hal_serial_sent(void)
{
    return ring_empty(&to_send);
}

uint8_t hal_ticks(void)
{
    cli();
    uint8_t passed = ticks;
    ticks = 0;
    sei();
    return passed;
}

void hal_watchdog_kick(void)
{
    wdt_reset();
}

bool hal_eeprom_ready(void)
{
    return !(EECR & (1u << EEPE));
}

uint8_t hal_eeprom_read(uint16_t address)
{
    EEAR = address;
    EECR |= (1u << EERE);
    return EEDR;
}

void hal_eeprom_write(uint16_t address, uint8_t byte)
{
    EEAR = address;
    EEDR = byte;
    cli(); /* EEPE must follow EEMPE within four cycles */
    EECR |= (1u << EEMPE);
    EECR |= (1u << EEPE);
    sei();
}

void hal_lamps(uint8_t on)
{
    uint8_t port_d = PORTD & (uint8_t)~((1u << TERRACE) | (1u << BEDROOM));
    if (on & 1u)
        port_d |= (1u << TERRACE);
    if (on & 2u)
        port_d |= (1u << BEDROOM);
    PORTD = port_d;
    if (on & 4u)
        PORTB |= (1u << KITCHEN); /* one bit of a low port: a single instruction, so the serial line's bit is safe */
    else
        PORTB &= (uint8_t)~(1u << KITCHEN);
}

void hal_indicator(bool on)
{
    if (on)
        PORTB |= (1u << INDICATOR);
    else
        PORTB &= (uint8_t)~(1u << INDICATOR);
}

bool hal_power_was_off(void)
{
    return !(reset_cause & (1u << WDRF));
}

static void set_up(void)
{
    PORTB = (1u << SEND) | (1u << RECEIVE) | (1u << PB1) | (1u << PB4); /* line idle, pull-ups; lamps low */
    DDRB = (1u << SEND) | (1u << KITCHEN) | (1u << INDICATOR);
    PORTD = 0x3Fu; /* unused: pulled up */
    DDRD = (1u << TERRACE) | (1u << BEDROOM);
    PORTC = 0x3Fu;

    TCCR1A = 0;
    TCCR1B = (1u << CS11); /* free, /8 */

    OCR0A = (uint8_t)(TICK_COUNT - 1UL);
    TCCR0A = (1u << WGM01);
    TCCR0B = (1u << CS02); /* CTC, /256 */
    TIMSK0 = (1u << OCIE0A);

    PCMSK0 = (1u << RECEIVE);
    PCICR = (1u << PCIE0);
}

static void rest(void)
{
    SMCR = 0; /* sleep means idle: the timers and the pin change go on */
    cli();
    if (ticks == 0 && ring_empty(&received)) {
        sleep_enable();
        sei(); /* the instruction after sei runs before any interrupt: none is slept through */
        sleep_cpu();
        sleep_disable();
    }
    sei();
}

int main(void)
{
    set_up();
    lamps_start();
    sei();
    for (;;) {
        lamps_poll();
        rest();
    }
}
