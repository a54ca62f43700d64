#include "buttons.h"

#include "hal.h"

static struct {
    uint8_t stable;
    uint8_t last;
    uint8_t same; /* ticks for which raw was last */
} buttons;

/* A button that is held while the power comes back, or is welded, is no press. */
void buttons_start(uint8_t raw)
{
    FRESH(buttons);
    buttons.stable = raw;
    buttons.last = raw;
}

uint8_t buttons_tick(uint8_t raw)
{
    if (raw != buttons.last) {
        buttons.last = raw;
        buttons.same = 0;
    }
    if (buttons.same < BUTTON_TICKS)
        buttons.same++;
    if (buttons.same < BUTTON_TICKS)
        return 0;
    uint8_t pressed = (uint8_t)(raw & (uint8_t)~buttons.stable);
    buttons.stable = raw;
    return pressed;
}
