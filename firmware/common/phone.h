/* Phone numbers: one canonical form, so that "+62812…", "0062812…", "62812…" and "0812…" are the same subscriber. */
#ifndef PHONE_H
#define PHONE_H

#include <stdbool.h>
#include <stdint.h>

/* E.164 allows 15 digits; one more for a '+', one for the end. */
#define PHONE_SIZE 17u
#define PHONE_DIGITS_MIN 8u
#define PHONE_DIGITS_MAX 15u
#define COUNTRY_SIZE 4u

/*
 * Rewrites a number in place as international digits without '+'. A national number (leading single 0) gets the
 * country code. False, with the number emptied, for anything that is not a subscriber number: letters, short codes,
 * more than 15 digits.
 */
bool phone_canonical(char *number, const char *country);

#endif
