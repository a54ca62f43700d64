#include "host.h"

#include "hal.h"
#include "ring.h"

uint8_t host_eeprom[HOST_EEPROM];
uint64_t host_kicks;
uint64_t host_writes;

static struct ring received;
static struct ring to_send;
static uint8_t waiting_ticks;

void host_clear(void)
{
    FRESH(received);
    FRESH(to_send);
    waiting_ticks = 0;
}

unsigned host_feed(const uint8_t *bytes, unsigned count)
{
    unsigned fed = 0;
    while (fed < count && ring_put(&received, bytes[fed]))
        fed++;
    return fed;
}

unsigned host_drain(uint8_t *bytes, unsigned room)
{
    unsigned count = 0;
    while (count < room && ring_get(&to_send, &bytes[count]))
        count++;
    return count;
}

void host_tick(uint8_t ticks)
{
    waiting_ticks = ticks;
}

bool hal_serial_get(uint8_t *byte)
{
    return ring_get(&received, byte);
}

bool hal_serial_put(uint8_t byte)
{
    return ring_put(&to_send, byte);
}

bool hal_serial_sent(void)
{
    return ring_empty(&to_send);
}

uint8_t hal_ticks(void)
{
    uint8_t ticks = waiting_ticks;
    waiting_ticks = 0;
    return ticks;
}

bool hal_eeprom_ready(void)
{
    return true;
}

uint8_t hal_eeprom_read(uint16_t address)
{
    return host_eeprom[address % HOST_EEPROM];
}

void hal_eeprom_write(uint16_t address, uint8_t byte)
{
    host_eeprom[address % HOST_EEPROM] = byte;
    host_writes++;
}

void hal_watchdog_kick(void)
{
    host_kicks++;
}
