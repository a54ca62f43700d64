#include "commands.h"

#include <string.h>

#include "board.h"
#include "flash.h"
#include "gsm.h"

static const char text_terrace[] FLASH = "Lampu Teras ";
static const char text_bedroom[] FLASH = "Lampu Kamar ";
static const char text_kitchen[] FLASH = "Lampu Dapur ";
static const char text_all[] FLASH = "Semua lampu ";
static const char text_on[] FLASH = "ON";
static const char text_off[] FLASH = "OFF";
static const char text_status[] FLASH = "Status lampu";
static const char text_wrong[] FLASH = "salah format !!!";
static const char text_ready[] FLASH = "Ready";

/* By the bits of the lamps they name. */
static const char *const lamp_texts[] FLASH = {0, text_terrace, text_bedroom, 0, text_kitchen, 0, 0, text_all};
#define LAMPS_ALL 7u

static char small(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c - 'A' + 'a') : c;
}

static bool blank(char c)
{
    return c == ' ' || c == '\r' || c == '\n' || c == '\t';
}

/* Walks text along a word of the command; NULL when it differs. A blank in the word stands for one or more. */
static const char *follow(const char *text, const char *flash_text)
{
    for (char wanted = (char)flash_byte(flash_text); wanted; wanted = (char)flash_byte(++flash_text)) {
        if (wanted == ' ') {
            if (!blank(*text))
                return 0;
            while (blank(*text))
                text++;
        } else if (small(*text) != small(wanted)) {
            return 0;
        } else {
            text++;
        }
    }
    return text;
}

static bool ends(const char *text)
{
    while (text && blank(*text))
        text++;
    return text && *text == '\0';
}

uint8_t command_parse(const char *text, bool whole)
{
    if (!whole)
        return COMMAND_WRONG;
    while (blank(*text))
        text++;
    if (ends(follow(text, text_status)))
        return COMMAND_STATUS;
    for (uint8_t lamps = 1; lamps <= LAMPS_ALL; lamps++) {
        const char *name = flash_pointer(&lamp_texts[lamps]);
        const char *rest = name ? follow(text, name) : 0;
        if (rest && ends(follow(rest, text_on)))
            return (uint8_t)(COMMAND_LAMPS | COMMAND_ON | lamps);
        if (rest && ends(follow(rest, text_off)))
            return (uint8_t)(COMMAND_LAMPS | lamps);
    }
    return COMMAND_WRONG;
}

/* The place-th character of a text; when the text is shorter, what is left of place. */
static char take(const char *flash_text, uint8_t *place)
{
    for (char c = (char)flash_byte(flash_text); c; c = (char)flash_byte(++flash_text)) {
        if (*place == 0)
            return c;
        (*place)--;
    }
    return '\0';
}

static char status_character(uint8_t lamps, uint8_t place)
{
    for (uint8_t lamp = 1; lamp < LAMPS_ALL; lamp = (uint8_t)(lamp << 1)) {
        char c = take(flash_pointer(&lamp_texts[lamp]) + sizeof "Lampu", &place);
        if (!c)
            c = take((lamps & lamp) ? text_on : text_off, &place);
        if (!c && !(lamp & 4u))
            c = take(FLASH_TEXT(", "), &place);
        if (c)
            return c;
    }
    return '\0';
}

char answer_character(uint8_t command, uint8_t lamps, uint8_t place)
{
    if (command & COMMAND_READY)
        return take(text_ready, &place);
    if (command & COMMAND_WRONG)
        return take(text_wrong, &place);
    if (command & COMMAND_STATUS)
        return status_character(lamps, place);
    char c = take(flash_pointer(&lamp_texts[command & COMMAND_LAMP_MASK]), &place);
    return c ? c : take((command & COMMAND_ON) ? text_on : text_off, &place);
}
