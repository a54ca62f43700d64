#include "line.h"

#include "flash.h"

void line_clear(struct line *line)
{
    line->length = 0;
    line->text[0] = '\0';
    line->quoted = false;
    line->cut = false;
    for (uint8_t i = 0; i < 4; i++)
        line->field[i] = 0;
}

void line_append(struct line *line, uint8_t byte)
{
    if (byte == 0x11u) /* GSM 03.38 puts the underscore here, and '@' at 0, which must not end the text */
        byte = '_';
    if (byte == 0)
        byte = '@';
    if (line->length >= LINE_SIZE) {
        line->cut = true;
        return;
    }
    line->text[line->length++] = (char)byte;
    line->text[line->length] = '\0';
}

static void count_field(struct line *line, uint8_t byte)
{
    if (byte == '"') {
        line->quoted = !line->quoted;
    } else if (line->quoted) {
        return;
    } else if (byte == ',') {
        line->field[3] = line->field[2];
        line->field[2] = line->field[1];
        line->field[1] = line->field[0];
        line->field[0] = 0;
    } else if (byte >= '0' && byte <= '9') {
        if (line->field[0] < 6000u)
            line->field[0] = (uint16_t)(line->field[0] * 10u + (uint16_t)(byte - '0'));
    } else {
        line->field[0] = 0;
    }
}

bool line_feed(struct line *line, uint8_t byte)
{
    if (byte == '\r' || byte == '\n')
        return line->length > 0;
    count_field(line, byte);
    line_append(line, byte);
    return false;
}

bool line_starts(const struct line *line, const char *flash_text)
{
    for (const char *text = line->text;; text++, flash_text++) {
        char wanted = (char)flash_byte(flash_text);
        if (wanted == '\0')
            return true;
        if (*text != wanted)
            return false;
    }
}
