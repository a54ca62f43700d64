/* Data addresses (I/O address + 0x20) and vectors of the ATmega8535, from its data sheet. */
#ifndef REGISTERS8535_H
#define REGISTERS8535_H

enum {
    R_ADCL = 0x24, R_ADCH = 0x25, R_ADCSRA = 0x26, R_ADMUX = 0x27,
    R_UBRRL = 0x29, R_UCSRB = 0x2A, R_UCSRA = 0x2B, R_UDR = 0x2C,
    R_PIND = 0x30, R_DDRD = 0x31, R_PORTD = 0x32,
    R_PINC = 0x33, R_DDRC = 0x34, R_PORTC = 0x35,
    R_PINB = 0x36, R_DDRB = 0x37, R_PORTB = 0x38,
    R_PINA = 0x39, R_DDRA = 0x3A, R_PORTA = 0x3B,
    R_EECR = 0x3C, R_EEDR = 0x3D, R_EEARL = 0x3E,
    R_UBRRH = 0x40, /* and UCSRC, chosen by URSEL */
    R_WDTCR = 0x41,
    R_OCR2 = 0x43, R_TCNT2 = 0x44, R_TCCR2 = 0x45,
    R_ICR1L = 0x46, R_OCR1BL = 0x48, R_OCR1AL = 0x4A, R_TCNT1L = 0x4C, R_TCCR1B = 0x4E, R_TCCR1A = 0x4F,
    R_TCNT0 = 0x52, R_TCCR0 = 0x53,
    R_MCUCSR = 0x54, R_MCUCR = 0x55,
    R_TIFR = 0x58, R_TIMSK = 0x59, R_GIFR = 0x5A, R_GICR = 0x5B, R_OCR0 = 0x5C,
};

enum {
    V_INT0 = 1, V_INT1 = 2, V_TIMER2_COMP = 3, V_TIMER2_OVF = 4, V_TIMER1_CAPT = 5, V_TIMER1_COMPA = 6,
    V_TIMER1_COMPB = 7, V_TIMER1_OVF = 8, V_TIMER0_OVF = 9, V_USART_RX = 11, V_USART_UDRE = 12, V_USART_TX = 13,
    V_ADC = 14, V_INT2 = 18, V_TIMER0_COMP = 19,
};

#endif
