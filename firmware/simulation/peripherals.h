#ifndef PERIPHERALS_H
#define PERIPHERALS_H

#include "sim_avr.h"

void usart_attach(avr_t *avr);
void adc_attach(avr_t *avr);

#endif
