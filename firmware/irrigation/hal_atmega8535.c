/*
 * The irrigation board's registers: ATmega8535, 7.3728 MHz crystal (9600 baud without error, 115.2 kHz for the
 * converter). The pins are in wiring/irrigation.csv.
 */
#include <avr/eeprom.h>
#include <avr/fuse.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>

#include "board.h"
#include "flash.h"
#include "ring.h"
#include "sensor.h"

/* Crystal, brown-out at 4.0 V, watchdog always on, EEPROM kept when the chip is erased, no boot loader. */
FUSES = {
    .low = FUSE_BODLEVEL & FUSE_BODEN,
    .high = FUSE_WDTON & FUSE_SPIEN & FUSE_CKOPT & FUSE_EESAVE & FUSE_BOOTSZ0 & FUSE_BOOTSZ1,
};

#define BAUD 9600UL
#define TICK_COUNT (F_CPU / 64UL / TICKS_PER_SECOND)

#define LCD_RS PC0
#define LCD_E PC1
#define BUTTON_1 PD2
#define BUTTON_2 PD3
#define PUMP_1 PD4
#define PUMP_2 PD5

/* Internal 2.56 V; inputs as in the data sheet's table of channels and gains: offset and sensor, twice. */
#define REFERENCE ((1u << REFS1) | (1u << REFS0))
#define CHANNEL_OFFSET_1 0x08u /* ADC0 - ADC0, x10 */
#define CHANNEL_SENSOR_1 0x09u /* ADC1 - ADC0, x10 */
#define CHANNEL_OFFSET_2 0x0Cu /* ADC2 - ADC2, x10 */
#define CHANNEL_SENSOR_2 0x0Du /* ADC3 - ADC2, x10 */
#define SETTLING 2u /* conversions thrown away after a change of channel: the gain stage settles in 125 us */

static struct ring received;
static struct ring to_send;
static volatile uint8_t ticks;
static volatile bool woken; /* an interrupt has left something for the main loop */

static volatile struct {
    int16_t sum;
    uint8_t left;
    bool done;
} conversion;

/* With the fuse the watchdog runs from the start with its shortest time. */
void watchdog_early(void) __attribute__((naked, used, section(".init3")));
void watchdog_early(void)
{
    wdt_reset();
    wdt_enable(WDTO_2S);
    wdt_reset();
}

ISR(USART_RX_vect)
{
    uint8_t status = UCSRA;
    uint8_t byte = UDR;
    if (!(status & (1u << FE)))
        (void)ring_put(&received, byte);
    woken = true;
}

ISR(USART_UDRE_vect)
{
    uint8_t byte;
    if (ring_get(&to_send, &byte)) {
        UDR = byte;
    } else {
        UCSRB &= (uint8_t)~(1u << UDRIE);
        woken = true;
    }
}

ISR(TIMER1_COMPA_vect)
{
    if (ticks < 255u)
        ticks++;
    woken = true;
}

ISR(ADC_vect)
{
    uint8_t left = conversion.left;
    if (left == 0)
        return;
    left--;
    conversion.left = left;
    if (left < SENSOR_CONVERSIONS) {
        uint16_t raw = ADC;
        if (raw & 0x200u) /* ten bits, two's complement */
            raw |= 0xFC00u;
        conversion.sum = (int16_t)(conversion.sum + (int16_t)raw);
    }
    if (left) {
        ADCSRA |= (1u << ADSC);
    } else {
        conversion.done = true;
        woken = true;
    }
}

bool hal_serial_get(uint8_t *byte)
{
    return ring_get(&received, byte);
}

bool hal_serial_put(uint8_t byte)
{
    bool put = ring_put(&to_send, byte);
    UCSRB |= (1u << UDRIE);
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
    return !(EECR & (1u << EEWE));
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
    cli(); /* EEWE must follow EEMWE within four cycles */
    EECR |= (1u << EEMWE);
    EECR |= (1u << EEWE);
    sei();
}

void hal_adc_start(uint8_t input)
{
    static const uint8_t channels[] FLASH = {CHANNEL_OFFSET_1, CHANNEL_SENSOR_1, CHANNEL_OFFSET_2, CHANNEL_SENSOR_2};
    cli();
    ADMUX = (uint8_t)(REFERENCE | flash_byte(&channels[input]));
    conversion.sum = 0;
    conversion.done = false;
    conversion.left = SENSOR_CONVERSIONS + SETTLING;
    ADCSRA |= (1u << ADSC);
    sei();
}

bool hal_adc_take(int16_t *sum)
{
    cli();
    bool done = conversion.done;
    conversion.done = false;
    *sum = conversion.sum;
    sei();
    return done;
}

void hal_pumps(bool first, bool second)
{
    uint8_t port = PORTD & (uint8_t)~((1u << PUMP_1) | (1u << PUMP_2));
    if (first)
        port |= (1u << PUMP_1);
    if (second)
        port |= (1u << PUMP_2);
    PORTD = port;
}

uint8_t hal_buttons(void)
{
    uint8_t pins = (uint8_t)~PIND;
    return (uint8_t)(((pins >> BUTTON_1) & 1u) | (uint8_t)(((pins >> BUTTON_2) & 1u) << 1));
}

void hal_lcd_nibble(bool data, uint8_t nibble)
{
    uint8_t port = (uint8_t)((uint8_t)(nibble << 4) | (data ? (1u << LCD_RS) : 0u));
    PORTC = port;
    PORTC = (uint8_t)(port | (1u << LCD_E)); /* E is high for 450 ns at least: four cycles are 540 ns */
    __asm__ __volatile__("nop\n\tnop\n\tnop\n\tnop\n\t");
    PORTC = port;
}

static void set_up(void)
{
    PORTD = (1u << BUTTON_1) | (1u << BUTTON_2); /* pull-ups; pumps low before they become outputs */
    DDRD = (1u << PD1) | (1u << PUMP_1) | (1u << PUMP_2);
    PORTC = 0;
    DDRC = 0xF0u | (1u << LCD_RS) | (1u << LCD_E);
    PORTB = 0xFFu; /* unused: pulled up, so that they do not float */
    PORTA = 0xF0u; /* PA0..PA3 are analogue */

    UBRRH = (uint8_t)((F_CPU / 16UL / BAUD - 1UL) >> 8);
    UBRRL = (uint8_t)(F_CPU / 16UL / BAUD - 1UL);
    UCSRC = (1u << URSEL) | (1u << UCSZ1) | (1u << UCSZ0);
    UCSRB = (1u << RXCIE) | (1u << RXEN) | (1u << TXEN);

    OCR1A = (uint16_t)(TICK_COUNT - 1UL);
    TCCR1B = (1u << WGM12) | (1u << CS11) | (1u << CS10); /* CTC, /64 */
    TIMSK = (1u << OCIE1A);

    ADMUX = REFERENCE;
    ADCSRA = (1u << ADEN) | (1u << ADIE) | (1u << ADPS2) | (1u << ADPS1); /* /64: 115.2 kHz */
}

static void rest(void)
{
    MCUCR = 0; /* sleep means idle: the timer and the serial line go on */
    cli();
    while (!woken) {
        sleep_enable();
        sei(); /* the instruction after sei runs before any interrupt: none is slept through */
        sleep_cpu();
        sleep_disable();
        cli();
    }
    woken = false;
    sei();
}

int main(void)
{
    set_up();
    irrigation_start();
    sei();
    for (;;) {
        irrigation_poll();
        rest();
    }
}
