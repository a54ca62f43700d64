#include "phone.h"

#include <string.h>

static bool all_digits(const char *text)
{
    for (; *text; text++)
        if (*text < '0' || *text > '9')
            return false;
    return true;
}

bool phone_canonical(char *number, const char *country)
{
    uint8_t strip = 0;
    uint8_t prefix = 0;
    if (number[0] == '+') {
        strip = 1;
    } else if (number[0] == '0' && number[1] == '0') {
        strip = 2;
    } else if (number[0] == '0') {
        strip = 1;
        prefix = (uint8_t)strlen(country);
    }
    uint8_t digits = (uint8_t)(strlen(number + strip));
    uint8_t total = (uint8_t)(digits + prefix);
    if (!all_digits(number + strip) || total < PHONE_DIGITS_MIN || total > PHONE_DIGITS_MAX ||
        number[strip] == '0') {
        number[0] = '\0';
        return false;
    }
    memmove(number + prefix, number + strip, (size_t)digits + 1u);
    memcpy(number, country, prefix);
    return true;
}
