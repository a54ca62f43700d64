#include "record.h"

#include <string.h>

#include "crc.h"
#include "hal.h"

#define STATE_STRIDE (STATE_SIZE + RECORD_OVERHEAD)

static struct {
    uint8_t image[STATE_STRIDE]; /* sequence, payload, CRC: what is being or was last written */
    uint8_t position;            /* next byte to write; STATE_STRIDE when done */
    bool second;                 /* the copy to write next */
    bool changed;
} state;

static bool copy_valid(uint16_t address, uint8_t size)
{
    uint16_t crc = CRC_START;
    for (uint8_t i = 0; i < (uint8_t)(size + RECORD_OVERHEAD); i++)
        crc = crc16(crc, hal_eeprom_read((uint16_t)(address + i)));
    return crc == 0; /* the CRC of data followed by its CRC is zero */
}

uint16_t record_find(uint16_t base, uint8_t size)
{
    uint16_t second = (uint16_t)(base + size + RECORD_OVERHEAD);
    bool first_valid = copy_valid(base, size);
    bool second_valid = copy_valid(second, size);
    if (first_valid && second_valid) {
        uint8_t ahead = (uint8_t)(hal_eeprom_read(second) - hal_eeprom_read(base));
        first_valid = ahead == 0 || ahead >= 0x80u; /* sequence numbers wrap */
    }
    if (first_valid)
        return (uint16_t)(base + 1u);
    return second_valid ? (uint16_t)(second + 1u) : 0u;
}

bool state_load(void)
{
    FRESH(state);
    uint16_t found = record_find(STATE_BASE, STATE_SIZE);
    state.position = STATE_STRIDE;
    state.second = found == STATE_BASE + 1u;
    state.changed = !found;
    if (!found)
        return false;
    for (uint8_t i = 0; i <= STATE_SIZE; i++)
        state.image[i] = hal_eeprom_read((uint16_t)(found - 1u + i));
    return true;
}

static bool busy(void)
{
    return state.position < STATE_STRIDE;
}

void state_get(uint8_t offset, void *part, uint8_t size)
{
    memcpy(part, &state.image[offset + 1u], size);
}

void state_put(uint8_t offset, const void *part, uint8_t size)
{
    uint8_t *place = &state.image[offset + 1u];
    if (busy() || memcmp(place, part, size) == 0)
        return;
    memcpy(place, part, size);
    state.changed = true;
}

void state_commit(void)
{
    if (busy() || !state.changed)
        return;
    state.changed = false;
    state.image[0]++;
    uint16_t crc = CRC_START;
    for (uint8_t i = 0; i <= STATE_SIZE; i++)
        crc = crc16(crc, state.image[i]);
    state.image[STATE_SIZE + 1u] = (uint8_t)(crc >> 8);
    state.image[STATE_SIZE + 2u] = (uint8_t)crc;
    state.position = 0;
}

void state_poll(void)
{
    if (!busy() || !hal_eeprom_ready())
        return;
    uint16_t address = (uint16_t)(STATE_BASE + (state.second ? STATE_STRIDE : 0u) + state.position);
    uint8_t byte = state.image[state.position];
    if (hal_eeprom_read(address) != byte)
        hal_eeprom_write(address, byte);
    state.position++;
    if (!busy())
        state.second = !state.second;
}
