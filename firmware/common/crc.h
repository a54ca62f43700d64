/* CRC-16/CCITT (polynomial 0x1021), bit by bit: 9 bytes of state are checked a few times a day, a table is waste. */
#ifndef CRC_H
#define CRC_H

#include <stdint.h>

#define CRC_START 0xFFFFu

uint16_t crc16(uint16_t crc, uint8_t byte);

#endif
