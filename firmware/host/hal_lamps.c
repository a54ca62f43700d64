#include "board.h"
#include "host.h"

static uint8_t outputs;
bool host_indicator;

void host_start(void)
{
    host_clear();
    outputs = 0;
    lamps_start();
}

void host_poll(void)
{
    lamps_poll();
}

uint8_t host_outputs(void)
{
    return outputs;
}

void hal_lamps(uint8_t on)
{
    outputs = on;
}

void hal_indicator(bool on)
{
    host_indicator = on;
}

bool hal_power_was_off(void)
{
    return true;
}
