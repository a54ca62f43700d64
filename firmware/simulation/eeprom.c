/*
 * EEPROM with its real times: 8.5 ms a byte in the ATmega8535, 3.4 ms in the ATmega328P (data sheets, "EEPROM
 * Programming Time"). A power cut in the middle of a write leaves a random byte. simavr's writes at once, which would
 * make every test of power cuts easy.
 */
#include <stdlib.h>
#include <string.h>

#include "machine.h"

enum { MASTER_WRITE = 2, WRITE = 1, READ = 0 }; /* EEMWE, EEWE, EERE; EEMPE, EEPE, EERE */
#define MASTER_CYCLES 6 /* four, and the two that the second SBI itself takes */

static struct {
    avr_t *avr;
    uint16_t control, data, address;
    unsigned size;
    avr_cycle_count_t write_cycles, master_until;
    uint8_t *memory;
    bool writing;
    unsigned place;
    uint8_t value;
    uint64_t writes;
} eeprom;

static void finish(void)
{
    eeprom.memory[eeprom.place] = eeprom.value;
    eeprom.writing = false;
    eeprom.avr->data[eeprom.control] &= (uint8_t)~(1u << WRITE);
}

static avr_cycle_count_t written(avr_t *avr, avr_cycle_count_t when, void *parameter)
{
    finish();
    return 0;
}

static unsigned address(void)
{
    return (eeprom.avr->data[eeprom.address] | (unsigned)eeprom.avr->data[eeprom.address + 1] << 8) % eeprom.size;
}

static void write_control(avr_t *avr, avr_io_addr_t where, uint8_t value, void *parameter)
{
    bool allowed = avr->cycle <= eeprom.master_until;
    avr->data[where] = (uint8_t)((value & 0x38) | (eeprom.writing ? 1u << WRITE : 0));
    if (value >> MASTER_WRITE & 1 && !(value >> WRITE & 1))
        eeprom.master_until = avr->cycle + MASTER_CYCLES;
    if (value >> MASTER_WRITE & 1 || allowed)
        avr->data[where] |= 1u << MASTER_WRITE;
    if (value >> WRITE & 1 && !eeprom.writing && allowed) {
        eeprom.writing = true;
        eeprom.place = address();
        eeprom.value = avr->data[eeprom.data];
        eeprom.writes++;
        eeprom.master_until = 0;
        avr->data[where] = (uint8_t)((value & 0x38) | 1u << WRITE);
        avr_cycle_timer_register(avr, eeprom.write_cycles, written, NULL);
    }
    if (value >> READ & 1) {
        if (eeprom.writing)
            machine.eeprom_misuses++; /* the hardware does not read while it writes */
        else
            avr->data[eeprom.data] = eeprom.memory[address()];
        avr->cycle += 4; /* the core is halted */
    }
}

void eeprom_attach(avr_t *avr, uint16_t control, uint16_t data, uint16_t address_low, unsigned size, double write_seconds)
{
    eeprom.avr = avr;
    eeprom.control = control;
    eeprom.data = data;
    eeprom.address = address_low;
    eeprom.size = size;
    eeprom.write_cycles = (avr_cycle_count_t)(write_seconds * avr->frequency);
    eeprom.memory = malloc(size);
    memset(eeprom.memory, 0xFF, size);
    avr->io[AVR_DATA_TO_IO(control)].w.c = write_control; /* in place of simavr's own, when there is one */
    avr->io[AVR_DATA_TO_IO(control)].w.param = NULL;
}

void eeprom_power_cut(void)
{
    if (!eeprom.writing)
        return;
    eeprom.value = (uint8_t)(machine_random() * 256);
    finish();
}

/* A reset lets a write under way come to its end. */
void eeprom_reset(void)
{
    if (eeprom.writing)
        finish();
    eeprom.master_until = 0;
}

uint8_t *eeprom_memory(void)
{
    return eeprom.memory;
}

unsigned eeprom_size(void)
{
    return eeprom.size;
}

uint64_t eeprom_writes(void)
{
    return eeprom.writes;
}
