/*
 * A ring for one producer and one consumer, one of them an interrupt. Each index is one byte and has one writer, so
 * neither side needs a lock. SIZE is a power of two; one place stays empty to tell full from empty.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

#define RING_SIZE 32u

struct ring {
    volatile uint8_t head; /* written by the producer */
    volatile uint8_t tail; /* written by the consumer */
    uint8_t bytes[RING_SIZE];
};

static inline bool ring_empty(const struct ring *ring)
{
    return ring->head == ring->tail;
}

static inline bool ring_put(struct ring *ring, uint8_t byte)
{
    uint8_t head = ring->head;
    uint8_t next = (uint8_t)((head + 1u) & (RING_SIZE - 1u));
    if (next == ring->tail)
        return false;
    ring->bytes[head] = byte;
    ring->head = next;
    return true;
}

static inline bool ring_get(struct ring *ring, uint8_t *byte)
{
    uint8_t tail = ring->tail;
    if (tail == ring->head)
        return false;
    *byte = ring->bytes[tail];
    ring->tail = (uint8_t)((tail + 1u) & (RING_SIZE - 1u));
    return true;
}

#endif
