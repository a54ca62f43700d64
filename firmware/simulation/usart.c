/*
 * The USART of the ATmega8535 (data sheet, "USART"): two characters of receive buffer, one of transmit buffer, times
 * by UBRR, overrun and framing errors. simavr's own takes 64 characters before it loses one, which would hide a slow
 * firmware.
 */
#include <math.h>

#include "machine.h"
#include "peripherals.h"
#include "registers8535.h"

enum { RXC = 7, TXC = 6, UDRE = 5, FE = 4, DOR = 3, U2X = 1 };   /* UCSRA */
enum { RXCIE = 7, TXCIE = 6, UDRIE = 5, RXEN = 4, TXEN = 3 };    /* UCSRB */
enum { URSEL = 7 };                                              /* UCSRC */
#define RECEIVE_BUFFER 2
#define BAUD_TOLERANCE 0.045 /* data sheet, table 75: 8 data bits, maximum total error */

static struct {
    avr_io_t io;
    avr_int_vector_t received, empty, complete;
    uint8_t buffer[RECEIVE_BUFFER];
    bool bad[RECEIVE_BUFFER];
    unsigned count;
    uint16_t ubrr;
    uint8_t transmit;
    bool transmit_full, shifting;
    uint8_t shift;
} usart;

static void flag(int bit, bool set)
{
    uint8_t *status = &machine.avr->data[R_UCSRA];
    *status = (uint8_t)(set ? *status | (1u << bit) : *status & ~(1u << bit));
}

static bool enabled(int bit)
{
    return machine.avr->data[R_UCSRB] >> bit & 1;
}

static double chip_baud(void)
{
    double divisor = machine.avr->data[R_UCSRA] >> U2X & 1 ? 8 : 16;
    return machine.avr->frequency / divisor / (usart.ubrr + 1);
}

static void show_received(void)
{
    flag(RXC, usart.count > 0);
    flag(FE, usart.count > 0 && usart.bad[0]);
    if (usart.count)
        avr_raise_interrupt(machine.avr, &usart.received);
    else
        avr_clear_interrupt(machine.avr, &usart.received);
}

void usart_receive(uint8_t byte, double baud)
{
    if (!enabled(RXEN))
        return;
    bool bad = fabs(chip_baud() / baud - 1) > BAUD_TOLERANCE;
    if (bad)
        machine.framing_errors++;
    if (usart.count == RECEIVE_BUFFER) {
        machine.overruns++;
        flag(DOR, true);
        return;
    }
    usart.buffer[usart.count] = bad ? (uint8_t)~byte : byte;
    usart.bad[usart.count++] = bad;
    machine.received++;
    show_received();
}

static uint8_t read_data(avr_t *avr, avr_io_addr_t address, void *parameter)
{
    uint8_t byte = usart.buffer[0];
    if (usart.count) {
        usart.count--;
        usart.buffer[0] = usart.buffer[1];
        usart.bad[0] = usart.bad[1];
    }
    flag(DOR, false);
    show_received();
    return byte;
}

static avr_cycle_count_t shifted_out(avr_t *avr, avr_cycle_count_t when, void *parameter);

static void start_shifting(uint8_t byte)
{
    usart.shift = byte;
    usart.shifting = true;
    avr_cycle_timer_register(machine.avr, (avr_cycle_count_t)(10 * machine.avr->frequency / chip_baud()), shifted_out, NULL);
}

static avr_cycle_count_t shifted_out(avr_t *avr, avr_cycle_count_t when, void *parameter)
{
    usart.shifting = false;
    line_from_chip(usart.shift);
    if (usart.transmit_full) {
        usart.transmit_full = false;
        start_shifting(usart.transmit);
        flag(UDRE, true);
        avr_raise_interrupt(avr, &usart.empty);
    } else {
        flag(TXC, true);
        avr_raise_interrupt(avr, &usart.complete);
    }
    return 0;
}

static void write_data(avr_t *avr, avr_io_addr_t address, uint8_t value, void *parameter)
{
    if (!enabled(TXEN) || usart.transmit_full)
        return;
    if (!usart.shifting) {
        start_shifting(value);
        avr_raise_interrupt(avr, &usart.empty);
        return;
    }
    usart.transmit = value;
    usart.transmit_full = true;
    flag(UDRE, false);
    avr_clear_interrupt(avr, &usart.empty);
}

static void write_status(avr_t *avr, avr_io_addr_t address, uint8_t value, void *parameter)
{
    flag(U2X, value >> U2X & 1);
    if (value >> TXC & 1)
        flag(TXC, false);
}

static void write_control(avr_t *avr, avr_io_addr_t address, uint8_t value, void *parameter)
{
    avr->data[R_UCSRB] = value;
    if (avr->data[R_UCSRA] >> RXC & 1)
        avr_raise_interrupt(avr, &usart.received);
    if (avr->data[R_UCSRA] >> UDRE & 1)
        avr_raise_interrupt(avr, &usart.empty);
}

static void write_baud_low(avr_t *avr, avr_io_addr_t address, uint8_t value, void *parameter)
{
    avr->data[address] = value;
    usart.ubrr = (uint16_t)((usart.ubrr & 0xF00) | value);
}

static void write_shared(avr_t *avr, avr_io_addr_t address, uint8_t value, void *parameter)
{
    if (!(value >> URSEL & 1)) /* else it is UCSRC: we speak 8N1 only, as the firmware sets it */
        usart.ubrr = (uint16_t)((usart.ubrr & 0xFF) | (value & 15) << 8);
}

static void reset(avr_io_t *io)
{
    usart.count = 0;
    usart.ubrr = 0;
    usart.transmit_full = usart.shifting = false;
    machine.avr->data[R_UCSRA] = 1u << UDRE;
}

static void vector(avr_int_vector_t *vector, uint8_t number, int enable, int raised, bool sticky)
{
    *vector = (avr_int_vector_t){
        .vector = number,
        .enable = AVR_IO_REGBIT(R_UCSRB, enable),
        .raised = AVR_IO_REGBIT(R_UCSRA, raised),
        .raise_sticky = sticky,
    };
    avr_register_vector(machine.avr, vector);
}

void usart_attach(avr_t *avr)
{
    usart.io = (avr_io_t){.kind = "usart", .reset = reset};
    avr_register_io(avr, &usart.io);
    vector(&usart.received, V_USART_RX, RXCIE, RXC, true);
    vector(&usart.empty, V_USART_UDRE, UDRIE, UDRE, true);
    vector(&usart.complete, V_USART_TX, TXCIE, TXC, false);
    avr_register_io_read(avr, R_UDR, read_data, NULL);
    avr_register_io_write(avr, R_UDR, write_data, NULL);
    avr_register_io_write(avr, R_UCSRA, write_status, NULL);
    avr_register_io_write(avr, R_UCSRB, write_control, NULL);
    avr_register_io_write(avr, R_UBRRL, write_baud_low, NULL);
    avr_register_io_write(avr, R_UBRRH, write_shared, NULL);
}
