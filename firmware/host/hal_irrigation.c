#include "board.h"
#include "host.h"
#include "sensor.h"

/* Sums of 16 conversions: an offset of 3 steps on each, and the sensors at about half. */
int16_t host_sums[4] = {48, 48 + 1530, 48, 48 + 1650};
uint8_t host_buttons;

static uint8_t outputs;
static uint8_t input;
static bool done;

void host_start(void)
{
    host_clear();
    outputs = 0;
    done = false;
    irrigation_start();
}

void host_poll(void)
{
    irrigation_poll();
}

uint8_t host_outputs(void)
{
    return outputs;
}

void hal_pumps(bool first, bool second)
{
    outputs = (uint8_t)((first ? 1u : 0u) | (second ? 2u : 0u));
}

uint8_t hal_buttons(void)
{
    return host_buttons;
}

void hal_lcd_nibble(bool data, uint8_t nibble)
{
    (void)data;
    (void)nibble;
}

void hal_adc_start(uint8_t wanted)
{
    input = wanted;
    done = true;
}

bool hal_adc_take(int16_t *sum)
{
    bool was = done;
    *sum = host_sums[input];
    done = false;
    return was;
}
