/* Constants in program memory on the AVR, plain constants on the host. */
#ifndef FLASH_H
#define FLASH_H

#ifdef __AVR__
#include <avr/pgmspace.h>
#define FLASH PROGMEM
#define flash_byte(address) pgm_read_byte(address)
#define flash_pointer(address) ((const char *)pgm_read_word(address))
#define FLASH_TEXT(text) PSTR(text)
#else
#define FLASH
#define flash_byte(address) (*(const unsigned char *)(address))
#define flash_pointer(address) (*(address))
#define FLASH_TEXT(text) (text)
#endif

#endif
