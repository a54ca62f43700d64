/*
 * Collects one line from the modem. Only the first LINE_SIZE characters are kept: an SMS header is about 90 long, but
 * its sender is near the start, and of the numbers at its end the last four are kept as they pass by.
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_SIZE 44u

struct line {
    char text[LINE_SIZE + 1u];
    uint8_t length;    /* characters kept */
    uint16_t field[4]; /* the last numeric fields, the newest first; 0 for a quoted or empty one */
    bool quoted;
    bool cut;          /* characters were dropped */
};

void line_clear(struct line *line);

/* Appends a character of text; control characters of the GSM alphabet are folded to what they stand for. */
void line_append(struct line *line, uint8_t byte);

/* Feeds a character; true when a line that is not empty ended. The caller reads it, then clears. */
bool line_feed(struct line *line, uint8_t byte);

bool line_starts(const struct line *line, const char *flash_text);

#endif
