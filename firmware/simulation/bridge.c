/*
 * bridge MCU HZ ELF: runs an image in simavr, driven by lines on standard input; see README.md for the commands.
 * Events and answers are lines on standard output; each command ends with "ok ..." or "error ...".
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "avr_ioport.h"
#include "machine.h"
#include "registers8535.h"

struct machine machine;

static const char ports[] = "ABCD";
static uint8_t watched[4];   /* outputs whose changes are told */
static uint8_t shown[4];     /* what was told last */
static uint8_t driven[4], driven_mask[4];
static avr_io_t hook;
static avr_flashaddr_t fault_pc;

double machine_random(void) /* xorshift64* */
{
    machine.random ^= machine.random >> 12;
    machine.random ^= machine.random << 25;
    machine.random ^= machine.random >> 27;
    return (double)((machine.random * 0x2545F4914F6CDD1DULL) >> 11) / 9007199254740992.0;
}

void machine_event(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf(" %" PRIu64 "\n", (uint64_t)machine.avr->cycle);
}

static avr_irq_t *port_irq(unsigned port, int index)
{
    return avr_io_getirq(machine.avr, AVR_IOCTL_IOPORT_GETIRQ(ports[port]), index);
}

static void show(unsigned port, uint8_t level)
{
    uint8_t changed = (uint8_t)((level ^ shown[port]) & watched[port]);
    shown[port] = level;
    for (int bit = 0; bit < 8; bit++)
        if (changed >> bit & 1)
            machine_event("pin %c%d %d", ports[port], bit, level >> bit & 1);
}

static uint8_t direction(unsigned port)
{
    avr_ioport_state_t state;
    if (avr_ioctl(machine.avr, AVR_IOCTL_IOPORT_GETSTATE(ports[port]), &state) < 0)
        return 0;
    return (uint8_t)state.ddr;
}

static void port_written(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
    unsigned port = (unsigned)(intptr_t)parameter;
    show(port, (uint8_t)(value & direction(port)));
    if (machine.lamps && port == 1 && direction(1) >> 3 & 1)
        line_chip_pin(value >> 3 & 1);
    if (!machine.lamps && port == 2)
        display_port((uint8_t)value);
}

static void direction_written(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
    unsigned port = (unsigned)(intptr_t)parameter;
    avr_ioport_state_t state;
    if (avr_ioctl(machine.avr, AVR_IOCTL_IOPORT_GETSTATE(ports[port]), &state) == 0)
        show(port, (uint8_t)(state.port & value));
}

/* The outside holds a pin. simavr must be told twice: the level now, and that no pull-up wins over it later. */
static void hold(unsigned port, unsigned bit)
{
    avr_ioport_external_t outside = {.name = (unsigned long)ports[port], .mask = driven_mask[port], .value = driven[port]};
    avr_ioctl(machine.avr, AVR_IOCTL_IOPORT_SET_EXTERNAL(ports[port]), &outside);
    if (machine.powered)
        avr_raise_irq(port_irq(port, (int)bit), driven[port] >> bit & 1);
}

void machine_drive(unsigned port, unsigned bit, bool high)
{
    driven_mask[port] |= (uint8_t)(1u << bit);
    driven[port] = (uint8_t)(high ? driven[port] | 1u << bit : driven[port] & ~(1u << bit));
    hold(port, bit);
}

static void drive_inputs(void)
{
    for (unsigned port = 0; port < 4; port++)
        for (unsigned bit = 0; bit < 8; bit++)
            if (driven_mask[port] >> bit & 1)
                avr_raise_irq(port_irq(port, (int)bit), driven[port] >> bit & 1);
}

/* simavr calls this at every reset, a watchdog's included. Its filtered signals must forget what they were. */
static void was_reset(avr_io_t *io)
{
    machine.resets++;
    for (unsigned port = 0; port < 4; port++) {
        for (int index = 0; index < IOPORT_IRQ_COUNT; index++) {
            avr_irq_t *irq = port_irq(port, index);
            if (irq)
                irq->value = 0;
        }
        show(port, 0);
    }
    eeprom_reset();
    drive_inputs();
    line_reset();
    if (machine.powered) {
        machine.watchdog_resets++;
        machine_event("reset");
        machine.stop = true;
    }
}

static avr_cycle_count_t time_over(avr_t *avr, avr_cycle_count_t when, void *parameter)
{
    return 0;
}

static void no_sleep(avr_t *avr, avr_cycle_count_t how_long)
{
}

static void quiet(avr_t *avr, const int level, const char *format, va_list arguments)
{
    if (level <= LOG_ERROR) {
        fputs("simavr: ", stderr);
        vfprintf(stderr, format, arguments);
    }
}

static void power_on(void)
{
    avr_t *avr = machine.avr;
    for (unsigned address = 0; address <= avr->ramend; address++)
        avr->data[address] = (uint8_t)(machine_random() * 256);
    memcpy(machine.ram_copy, avr->data, avr->ramend + 1u);
    display_power_on();
    avr_reset(avr);
    avr_regbit_set(avr, avr->reset_flags.porf);
    machine.powered = true;
}

static void power_off(void)
{
    eeprom_power_cut();
    line_power_off();
    machine.powered = false;
    for (unsigned port = 0; port < 4; port++)
        show(port, 0);
}

static void run(uint64_t cycles)
{
    avr_t *avr = machine.avr;
    uint64_t until = avr->cycle + cycles;
    machine.stop = false;
    if (!machine.powered) {
        avr->cycle = until;
        return;
    }
    while (avr->cycle < until && !machine.stop) {
        avr_cycle_timer_register(avr, until - avr->cycle, time_over, NULL);
        while (avr->cycle < until && !machine.stop) {
            int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed) {
                fault_pc = avr->pc;
                machine_event("crash %x", avr->pc);
                return;
            }
        }
    }
}

static unsigned stack_free(void)
{
    unsigned free = 0;
    for (unsigned address = machine.bss_end; address <= machine.avr->ramend; address++, free++)
        if (machine.avr->data[address] != machine.ram_copy[address])
            break;
    return free;
}

static void hexadecimal(const char *text, void (*take)(uint8_t))
{
    unsigned byte;
    for (; sscanf(text, "%2x", &byte) == 1; text += 2)
        take((uint8_t)byte);
}

static unsigned poke_place;
static void poke(uint8_t byte)
{
    if (poke_place < eeprom_size())
        eeprom_memory()[poke_place++] = byte;
}

static bool pin_name(const char *name, unsigned *port, unsigned *bit)
{
    const char *found = name[0] ? strchr(ports, name[0]) : NULL;
    *port = found ? (unsigned)(found - ports) : 0;
    *bit = (unsigned)(name[1] - '0');
    return found && *bit < 8;
}

static bool obey(char *command)
{
    char word[16] = "", first[64] = "";
    int used = 0;
    double a, b, c;
    unsigned port, bit;
    sscanf(command, "%15s %n", word, &used);
    char *rest = command + used;
    sscanf(rest, "%63s", first);
    if (!strcmp(word, "run")) {
        run(strtoull(first, NULL, 10));
    } else if (!strcmp(word, "serial")) {
        hexadecimal(rest, line_queue);
    } else if (!strcmp(word, "baud")) {
        line_set_baud(atof(first));
    } else if (!strcmp(word, "stop")) {
        machine.stop_at_every_byte = !strcmp(first, "bytes");
    } else if (!strcmp(word, "watch") && pin_name(first, &port, &bit)) {
        watched[port] |= (uint8_t)(1u << bit);
    } else if (!strcmp(word, "drive") && pin_name(first, &port, &bit)) {
        machine_drive(port, bit, rest[3] == '1');
    } else if (!strcmp(word, "input") && sscanf(rest, "%u %lf", &bit, &a) == 2) {
        adc_set_input(bit, a);
    } else if (!strcmp(word, "errors") && sscanf(rest, "%lf %lf %lf", &a, &b, &c) == 3) {
        adc_set_errors(a, b, c);
    } else if (!strcmp(word, "power")) {
        if (first[0] == '1' && !machine.powered)
            power_on();
        else if (first[0] == '0' && machine.powered)
            power_off();
    } else if (!strcmp(word, "seed")) {
        machine.random = strtoull(first, NULL, 10) * 2654435761u + 88172645463325252ULL;
    } else if (!strcmp(word, "display")) {
        char rows[2][17];
        display_text(rows);
        printf("row %s|\nrow %s|\n", rows[0], rows[1]);
    } else if (!strcmp(word, "eeprom")) {
        printf("eeprom ");
        for (unsigned i = 0; i < eeprom_size(); i++)
            printf("%02x", eeprom_memory()[i]);
        printf("\n");
    } else if (!strcmp(word, "poke") && sscanf(rest, "%u %n", &poke_place, &used) == 1) {
        hexadecimal(rest + used, poke);
    } else if (!strcmp(word, "figures")) {
        printf("figures free %u resets %u watchdog %u overruns %u framing %u misuses %u lcd %u waiting %u sent %" PRIu64
               " received %" PRIu64 " writes %" PRIu64 "\n",
               stack_free(), machine.resets, machine.watchdog_resets, machine.overruns, machine.framing_errors,
               machine.eeprom_misuses, machine.lcd_violations, line_waiting(), machine.sent, machine.received, eeprom_writes());
    } else {
        return false;
    }
    return true;
}

static uint16_t symbol(const elf_firmware_t *firmware, const char *name)
{
    for (unsigned i = 0; i < firmware->symbolcount; i++)
        if (!strcmp(firmware->symbol[i]->symbol, name))
            return (uint16_t)firmware->symbol[i]->addr;
    return 0;
}

static avr_t *make(const char *mcu)
{
    machine.lamps = !strcmp(mcu, "atmega328p");
    return machine.lamps ? avr_make_mcu_by_name("atmega328p") : !strcmp(mcu, "atmega8535") ? atmega8535_make() : NULL;
}

int main(int count, char **arguments)
{
    static elf_firmware_t firmware;
    static char command[1 << 20];
    if (count != 4) {
        fprintf(stderr, "use: bridge MCU HZ ELF\n");
        return 2;
    }
    avr_global_logger_set(quiet);
    machine.random = 88172645463325252ULL;
    machine.avr = make(arguments[1]);
    if (!machine.avr || elf_read_firmware(arguments[3], &firmware) != 0) {
        fprintf(stderr, "bridge: unknown chip, or no image: %s %s\n", arguments[1], arguments[3]);
        return 2;
    }
    avr_t *avr = machine.avr;
    avr_init(avr);
    firmware.frequency = (uint32_t)strtoul(arguments[2], NULL, 10);
    avr_load_firmware(avr, &firmware);
    avr->frequency = firmware.frequency;
    avr->sleep = no_sleep;
    machine.bss_end = symbol(&firmware, "_end");
    if (machine.lamps)
        eeprom_attach(avr, 0x3F, 0x40, 0x41, 1024, 3.4e-3);
    else
        eeprom_attach(avr, R_EECR, R_EEDR, R_EEARL, 512, 8.5e-3);
    hook = (avr_io_t){.kind = "board", .reset = was_reset};
    avr_register_io(avr, &hook);
    for (unsigned port = 0; port < 4; port++) {
        if (!port_irq(port, 0))
            continue;
        avr_irq_register_notify(port_irq(port, IOPORT_IRQ_REG_PORT), port_written, (void *)(intptr_t)port);
        avr_irq_register_notify(port_irq(port, IOPORT_IRQ_DIRECTION_ALL), direction_written, (void *)(intptr_t)port);
    }
    while (fgets(command, sizeof command, stdin)) {
        bool obeyed = obey(command);
        printf("%s %" PRIu64 "\n", obeyed ? "ok" : "error", (uint64_t)avr->cycle);
        fflush(stdout);
    }
    return 0;
}
