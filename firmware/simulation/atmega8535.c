/*
 * The ATmega8535 as simavr sees it. simavr 1.6 has no such core; this one is written from the data sheet (Atmel
 * 2502K, 10/06): memories, "Register Summary", "Interrupt Vectors in ATmega8535", "Fuse Bits". Ports, timers,
 * external interrupts and the watchdog are simavr's modules; USART and converter are usart.c and adc.c, the EEPROM
 * eeprom.c. Not modelled: SPI, TWI, analogue comparator, self-programming, the asynchronous clock of Timer2.
 *
 * Every address, bit and vector below is compared with avr-libc's iom8535.h by tests/firmware/test_core.py.
 */
#include <string.h>

#include "avr_extint.h"
#include "avr_ioport.h"
#include "avr_timer.h"
#include "avr_watchdog.h"
#include "machine.h"
#include "peripherals.h"
#include "registers8535.h"

#define BIT(register, number) AVR_IO_REGBIT(register, number)
#define BITS(register, number, mask) AVR_IO_REGBITS(register, number, mask)
#define STOPPED_OR_OUTSIDE 0

static struct {
    avr_t core; /* first: simavr allocates the whole by its size */
    avr_ioport_t port_a, port_b, port_c, port_d;
    avr_timer_t timer0, timer1, timer2;
    avr_extint_t external;
    avr_watchdog_t watchdog;
} const template = {
    .core =
        {
            .mmcu = "atmega8535",
            .ioend = 0x5F,
            .ramend = 0x25F,
            .flashend = 0x1FFF,
            .e2end = 0x1FF,
            .vector_size = 2, /* 8 KB: each vector is one RJMP */
            .signature = {0x1E, 0x93, 0x08},
            .fuse = {0xE1, 0xD9},
            .reset_flags =
                {
                    .porf = BIT(R_MCUCSR, 0),
                    .extrf = BIT(R_MCUCSR, 1),
                    .borf = BIT(R_MCUCSR, 2),
                    .wdrf = BIT(R_MCUCSR, 3),
                },
        },
    .port_a = {.name = 'A', .r_port = R_PORTA, .r_ddr = R_DDRA, .r_pin = R_PINA},
    .port_b = {.name = 'B', .r_port = R_PORTB, .r_ddr = R_DDRB, .r_pin = R_PINB},
    .port_c = {.name = 'C', .r_port = R_PORTC, .r_ddr = R_DDRC, .r_pin = R_PINC},
    .port_d = {.name = 'D', .r_port = R_PORTD, .r_ddr = R_DDRD, .r_pin = R_PIND},
    .timer0 =
        {
            .name = '0',
            .wgm = {BIT(R_TCCR0, 6), BIT(R_TCCR0, 3)},
            .wgm_op = {[0] = AVR_TIMER_WGM_NORMAL8(), [2] = AVR_TIMER_WGM_CTC(), [3] = AVR_TIMER_WGM_FASTPWM8()},
            .cs = {BIT(R_TCCR0, 0), BIT(R_TCCR0, 1), BIT(R_TCCR0, 2)},
            .cs_div = {STOPPED_OR_OUTSIDE, 0, 3, 6, 8, 10}, /* shifts: 1, 8, 64, 256, 1024 */
            .r_tcnt = R_TCNT0,
            .overflow = {.enable = BIT(R_TIMSK, 0), .raised = BIT(R_TIFR, 0), .vector = V_TIMER0_OVF},
            .comp[AVR_TIMER_COMPA] =
                {
                    .r_ocr = R_OCR0,
                    .com = BITS(R_TCCR0, 4, 3),
                    .interrupt = {.enable = BIT(R_TIMSK, 1), .raised = BIT(R_TIFR, 1), .vector = V_TIMER0_COMP},
                },
        },
    .timer1 =
        {
            .name = '1',
            .wgm = {BIT(R_TCCR1A, 0), BIT(R_TCCR1A, 1), BIT(R_TCCR1B, 3), BIT(R_TCCR1B, 4)},
            .wgm_op = {[0] = AVR_TIMER_WGM_NORMAL16(), [4] = AVR_TIMER_WGM_CTC(), [12] = AVR_TIMER_WGM_ICCTC()},
            .cs = {BIT(R_TCCR1B, 0), BIT(R_TCCR1B, 1), BIT(R_TCCR1B, 2)},
            .cs_div = {STOPPED_OR_OUTSIDE, 0, 3, 6, 8, 10},
            .r_tcnt = R_TCNT1L,
            .r_tcnth = R_TCNT1L + 1,
            .r_icr = R_ICR1L,
            .r_icrh = R_ICR1L + 1,
            .overflow = {.enable = BIT(R_TIMSK, 2), .raised = BIT(R_TIFR, 2), .vector = V_TIMER1_OVF},
            .icr = {.enable = BIT(R_TIMSK, 5), .raised = BIT(R_TIFR, 5), .vector = V_TIMER1_CAPT},
            .comp[AVR_TIMER_COMPA] =
                {
                    .r_ocr = R_OCR1AL,
                    .r_ocrh = R_OCR1AL + 1,
                    .com = BITS(R_TCCR1A, 6, 3),
                    .interrupt = {.enable = BIT(R_TIMSK, 4), .raised = BIT(R_TIFR, 4), .vector = V_TIMER1_COMPA},
                },
            .comp[AVR_TIMER_COMPB] =
                {
                    .r_ocr = R_OCR1BL,
                    .r_ocrh = R_OCR1BL + 1,
                    .com = BITS(R_TCCR1A, 4, 3),
                    .interrupt = {.enable = BIT(R_TIMSK, 3), .raised = BIT(R_TIFR, 3), .vector = V_TIMER1_COMPB},
                },
        },
    .timer2 =
        {
            .name = '2',
            .wgm = {BIT(R_TCCR2, 6), BIT(R_TCCR2, 3)},
            .wgm_op = {[0] = AVR_TIMER_WGM_NORMAL8(), [2] = AVR_TIMER_WGM_CTC(), [3] = AVR_TIMER_WGM_FASTPWM8()},
            .cs = {BIT(R_TCCR2, 0), BIT(R_TCCR2, 1), BIT(R_TCCR2, 2)},
            .cs_div = {STOPPED_OR_OUTSIDE, 0, 3, 5, 6, 7, 8, 10}, /* 1, 8, 32, 64, 128, 256, 1024 */
            .r_tcnt = R_TCNT2,
            .overflow = {.enable = BIT(R_TIMSK, 6), .raised = BIT(R_TIFR, 6), .vector = V_TIMER2_OVF},
            .comp[AVR_TIMER_COMPA] =
                {
                    .r_ocr = R_OCR2,
                    .com = BITS(R_TCCR2, 4, 3),
                    .interrupt = {.enable = BIT(R_TIMSK, 7), .raised = BIT(R_TIFR, 7), .vector = V_TIMER2_COMP},
                },
        },
    .external =
        {
            .eint[0] =
                {
                    .port_ioctl = AVR_IOCTL_IOPORT_GETIRQ('D'),
                    .port_pin = 2,
                    .isc = {BIT(R_MCUCR, 0), BIT(R_MCUCR, 1)},
                    .vector = {.enable = BIT(R_GICR, 6), .raised = BIT(R_GIFR, 6), .vector = V_INT0},
                },
            .eint[1] =
                {
                    .port_ioctl = AVR_IOCTL_IOPORT_GETIRQ('D'),
                    .port_pin = 3,
                    .isc = {BIT(R_MCUCR, 2), BIT(R_MCUCR, 3)},
                    .vector = {.enable = BIT(R_GICR, 7), .raised = BIT(R_GIFR, 7), .vector = V_INT1},
                },
            .eint[2] =
                {
                    .port_ioctl = AVR_IOCTL_IOPORT_GETIRQ('B'),
                    .port_pin = 2,
                    .isc = {BIT(R_MCUCSR, 6)},
                    .vector = {.enable = BIT(R_GICR, 5), .raised = BIT(R_GIFR, 5), .vector = V_INT2},
                },
        },
    /* 16K to 2048K cycles of a 1 MHz oscillator are the times simavr makes of 2K to 256K at 128 kHz. */
    .watchdog =
        {
            .wdrf = BIT(R_MCUCSR, 3),
            .wdce = BIT(R_WDTCR, 4),
            .wde = BIT(R_WDTCR, 3),
            .wdp = {BIT(R_WDTCR, 0), BIT(R_WDTCR, 1), BIT(R_WDTCR, 2)},
        },
};

static void initialise(avr_t *avr)
{
    typeof(template) *chip = (void *)avr;
    avr_ioport_init(avr, (avr_ioport_t *)&chip->port_a);
    avr_ioport_init(avr, (avr_ioport_t *)&chip->port_b);
    avr_ioport_init(avr, (avr_ioport_t *)&chip->port_c);
    avr_ioport_init(avr, (avr_ioport_t *)&chip->port_d);
    avr_timer_init(avr, (avr_timer_t *)&chip->timer0);
    avr_timer_init(avr, (avr_timer_t *)&chip->timer1);
    avr_timer_init(avr, (avr_timer_t *)&chip->timer2);
    avr_extint_init(avr, (avr_extint_t *)&chip->external);
    avr_watchdog_init(avr, (avr_watchdog_t *)&chip->watchdog);
    usart_attach(avr);
    adc_attach(avr);
}

avr_t *atmega8535_make(void)
{
    avr_t *avr = avr_core_allocate(&template.core, sizeof template);
    avr->init = initialise;
    return avr;
}
