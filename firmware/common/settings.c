#include "settings.h"

#include <string.h>

#include "hal.h"
#include "record.h"

static uint16_t payload;

void settings_load(void)
{
    payload = record_find(SETTINGS_BASE, SETTINGS_SIZE);
    if (payload && hal_eeprom_read(payload) != SETTINGS_VERSION)
        payload = 0;
}

bool settings_valid(void)
{
    return payload != 0;
}

uint8_t settings_byte(uint8_t offset, uint8_t otherwise)
{
    return payload ? hal_eeprom_read((uint16_t)(payload + offset)) : otherwise;
}

uint16_t settings_word(uint8_t offset, uint16_t otherwise)
{
    if (!payload)
        return otherwise;
    uint16_t low = hal_eeprom_read((uint16_t)(payload + offset));
    uint16_t high = hal_eeprom_read((uint16_t)(payload + offset + 1u));
    return (uint16_t)(low | (uint16_t)(high << 8));
}

bool settings_number(uint8_t index, char *number)
{
    uint8_t offset = (uint8_t)(SETTINGS_AT_NUMBERS + index * SETTINGS_NUMBER_SIZE);
    for (uint8_t i = 0; i < SETTINGS_NUMBER_SIZE; i++)
        number[i] = (char)settings_byte((uint8_t)(offset + i), 0);
    number[SETTINGS_NUMBER_SIZE] = '\0';
    return number[0] != '\0';
}

bool settings_sender_allowed(char *sender)
{
    char number[PHONE_SIZE];
    for (uint8_t i = 0; i < COUNTRY_SIZE; i++)
        number[i] = (char)settings_byte((uint8_t)(SETTINGS_AT_COUNTRY + i), 0);
    number[COUNTRY_SIZE - 1u] = '\0';
    if (!phone_canonical(sender, number))
        return false;
    if (settings_byte(SETTINGS_AT_FLAGS, 0) & SETTINGS_FLAG_OPEN)
        return true;
    for (uint8_t i = 0; i < SETTINGS_NUMBERS; i++)
        if (settings_number(i, number) && strcmp(number, sender) == 0)
            return true;
    return false;
}
