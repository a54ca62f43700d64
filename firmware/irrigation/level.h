/* Water levels, in tenths of a percent. Below LEVEL_LOWEST are the states in which there is none. */
#ifndef LEVEL_H
#define LEVEL_H

#include <stdint.h>

typedef int16_t level_t;

#define LEVEL_UNKNOWN ((level_t)-100) /* not measured yet, or no longer */
#define LEVEL_BROKEN ((level_t)-101)  /* the sensor's wire is broken */
#define LEVEL_SHORT ((level_t)-102)   /* the electrodes are shorted */
#define LEVEL_MOST ((level_t)1500)

static inline int level_measured(level_t level)
{
    return level >= 0;
}

#define FIELDS 2u

#endif
