/*
 * The converter of the ATmega8535 (data sheet, "Analog-to-Digital Converter"): single inputs, and the differential
 * stage with gain 1, 10 and 200 (table 85), two's complement, 13 clocks a conversion and 25 for the first, offset and
 * noise as asked for. simavr's takes whole millivolts, which is coarser than what is measured here.
 */
#include <math.h>

#include "machine.h"
#include "peripherals.h"
#include "registers8535.h"

enum { ADEN = 7, ADSC = 6, ADIF = 4, ADIE = 3 }; /* ADCSRA */
enum { REFS0 = 6, ADLAR = 5 };                   /* ADMUX */
#define SETTLING_SECONDS 125e-6 /* of the gain stage after a change of channel */
#define SUPPLY_UV 5e6
#define BANDGAP_UV 1.22e6

static struct {
    avr_io_t io;
    avr_int_vector_t done;
    double input[8]; /* uV */
    double reference_uv, offset, noise;
    bool first;
    uint8_t channel;      /* latched at the start of a conversion */
    uint8_t last_channel; /* the one before the last change */
    avr_cycle_count_t changed;
} adc = {.reference_uv = 2.56e6};

void adc_set_input(unsigned channel, double microvolts)
{
    if (channel < 8)
        adc.input[channel] = microvolts;
}

void adc_set_errors(double reference_mv, double offset_lsb, double noise_lsb)
{
    adc.reference_uv = reference_mv * 1000;
    adc.offset = offset_lsb;
    adc.noise = noise_lsb;
}

static double gaussian(void)
{
    return sqrt(-2 * log(1 - machine_random())) * cos(2 * M_PI * machine_random());
}

static double reference(void)
{
    switch (machine.avr->data[R_ADMUX] >> REFS0 & 3) {
    case 3:
        return adc.reference_uv;
    default:
        return SUPPLY_UV;
    }
}

static bool differential(uint8_t channel)
{
    return channel >= 8 && channel < 0x1E;
}

/* Table 85: 8..15 in pairs of ADC0 or ADC1 against ADC0, ADC2 or ADC3 against ADC2; from 16 on gain 1. */
static double steps(uint8_t channel)
{
    if (channel < 8)
        return adc.input[channel] * 1024 / reference();
    if (channel >= 0x1E)
        return channel == 0x1E ? BANDGAP_UV * 1024 / reference() : 0;
    double gain = 1;
    unsigned positive, negative;
    if (channel < 16) {
        gain = channel & 2 ? 200 : 10;
        negative = channel & 4 ? 2 : 0;
        positive = negative + (channel & 1);
    } else {
        negative = channel & 8 ? 2 : 1;
        positive = channel & 7;
    }
    return (adc.input[positive] - adc.input[negative]) * gain * 512 / reference() + adc.offset;
}

static avr_cycle_count_t converted(avr_t *avr, avr_cycle_count_t when, void *parameter)
{
    double value = steps(adc.channel);
    if (differential(adc.channel) && when - adc.changed < SETTLING_SECONDS * avr->frequency + 13 * 64)
        value = (value + steps(adc.last_channel)) / 2; /* not settled: the reading is worth nothing */
    value = floor(value + adc.noise * gaussian());
    double low = differential(adc.channel) ? -512 : 0;
    double high = differential(adc.channel) ? 511 : 1023;
    int raw = (int)fmax(low, fmin(high, value)) & 0x3FF;
    if (avr->data[R_ADMUX] >> ADLAR & 1)
        raw <<= 6;
    avr->data[R_ADCL] = (uint8_t)raw;
    avr->data[R_ADCH] = (uint8_t)(raw >> 8);
    avr->data[R_ADCSRA] &= (uint8_t)~(1u << ADSC);
    avr_raise_interrupt(avr, &adc.done);
    return 0;
}

static void write_control(avr_t *avr, avr_io_addr_t address, uint8_t value, void *parameter)
{
    uint8_t old = avr->data[R_ADCSRA];
    bool running = old >> ADSC & 1;
    bool interrupt = (old >> ADIF & 1) && !(value >> ADIF & 1); /* written one clears it */
    avr->data[R_ADCSRA] = (uint8_t)((value & ~(1u << ADIF)) | (unsigned)interrupt << ADIF);
    if (!(value >> ADEN & 1)) {
        avr_cycle_timer_cancel(avr, converted, NULL);
        avr->data[R_ADCSRA] &= (uint8_t)~(1u << ADSC);
        adc.first = true;
        return;
    }
    if (running) {
        avr->data[R_ADCSRA] |= 1u << ADSC; /* writing zero does nothing */
        return;
    }
    if (value >> ADSC & 1) {
        unsigned prescaler = value & 7 ? 1u << (value & 7) : 2;
        adc.channel = avr->data[R_ADMUX] & 0x1F;
        avr_cycle_timer_register(avr, (adc.first ? 25 : 13) * prescaler, converted, NULL);
        adc.first = false;
    }
}

static void write_channel(avr_t *avr, avr_io_addr_t address, uint8_t value, void *parameter)
{
    if ((avr->data[R_ADMUX] ^ value) & 0x1F) {
        adc.last_channel = avr->data[R_ADMUX] & 0x1F;
        adc.changed = avr->cycle;
    }
    avr->data[R_ADMUX] = value;
}

static void reset(avr_io_t *io)
{
    adc.first = true;
}

void adc_attach(avr_t *avr)
{
    adc.io = (avr_io_t){.kind = "adc8535", .reset = reset};
    avr_register_io(avr, &adc.io);
    adc.done = (avr_int_vector_t){
        .vector = V_ADC,
        .enable = AVR_IO_REGBIT(R_ADCSRA, ADIE),
        .raised = AVR_IO_REGBIT(R_ADCSRA, ADIF),
    };
    avr_register_vector(avr, &adc.done);
    avr_register_io_write(avr, R_ADCSRA, write_control, NULL);
    avr_register_io_write(avr, R_ADMUX, write_channel, NULL);
}
