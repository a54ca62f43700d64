/* DPDK's rte_acl on the rules and packets of a file: builds, then classifies with every algorithm that the CPU has.
 *
 * usage: rte_acl FILE RESULTS ROUNDS
 *
 * FILE (host byte order): uint32 rules, uint32 packets; then each rule as eleven uint32 (protocol, its mask, source,
 * its care mask, destination, its care mask, source ports low and high, destination ports low and high, 0); then each
 * packet as 16 bytes in network order: protocol, 3 of padding, source, destination, source port, destination port.
 *
 * Prints "build SECONDS", then "NAME SECONDS" for the shortest round of each algorithm, and writes for each packet
 * the number of the first rule that matches, from 1, or 0 (uint32). Pointers to the packets are made beforehand: an
 * application of DPDK has them from its driver. Bursts of several sizes are tried and the best one counts.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_acl.h>
#include <rte_eal.h>
#include <rte_errno.h>

enum { PROTOCOL, SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, FIELDS };

RTE_ACL_RULE_DEF(five_tuple, FIELDS);

static const struct rte_acl_field_def definitions[FIELDS] = {
	{RTE_ACL_FIELD_TYPE_BITMASK, 1, PROTOCOL, 0, 0},
	{RTE_ACL_FIELD_TYPE_BITMASK, 4, SOURCE, 1, 4},
	{RTE_ACL_FIELD_TYPE_BITMASK, 4, DESTINATION, 2, 8},
	{RTE_ACL_FIELD_TYPE_RANGE, 2, SOURCE_PORT, 3, 12},
	{RTE_ACL_FIELD_TYPE_RANGE, 2, DESTINATION_PORT, 3, 14},
};

static const struct {
	const char *name;
	enum rte_acl_classify_alg algorithm;
} algorithms[] = {
	{"scalar", RTE_ACL_CLASSIFY_SCALAR},	     {"sse", RTE_ACL_CLASSIFY_SSE},
	{"avx2", RTE_ACL_CLASSIFY_AVX2},	     {"avx512x16", RTE_ACL_CLASSIFY_AVX512X16},
	{"avx512x32", RTE_ACL_CLASSIFY_AVX512X32},
};

static const uint32_t bursts[] = {32, 256, 4096};

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "rte_acl: %s\n", what);
	exit(1);
}

static void get(void *into, size_t size, size_t count, FILE *file)
{
	if (fread(into, size, count, file) != count)
		fail("the file is too short");
}

static struct rte_acl_ctx *build(FILE *file, uint32_t count)
{
	struct rte_acl_param parameters = {"bench", SOCKET_ID_ANY, RTE_ACL_RULE_SZ(FIELDS), count};
	struct rte_acl_ctx *context = rte_acl_create(&parameters);
	if (context == NULL)
		fail("no context");
	struct five_tuple *rules = calloc(count, sizeof(*rules));
	for (uint32_t position = 0; position < count; position++) {
		uint32_t words[11];
		struct five_tuple *rule = &rules[position];
		get(words, sizeof(words), 1, file);
		rule->data.category_mask = 1;
		rule->data.priority = (int32_t)(RTE_ACL_MAX_PRIORITY - position);
		rule->data.userdata = position + 1;
		for (int field = 0; field < FIELDS; field++) {
			if (definitions[field].size == 1) {
				rule->field[field].value.u8 = (uint8_t)words[2 * field];
				rule->field[field].mask_range.u8 = (uint8_t)words[2 * field + 1];
			} else if (definitions[field].size == 2) {
				rule->field[field].value.u16 = (uint16_t)words[2 * field];
				rule->field[field].mask_range.u16 = (uint16_t)words[2 * field + 1];
			} else {
				rule->field[field].value.u32 = words[2 * field];
				rule->field[field].mask_range.u32 = words[2 * field + 1];
			}
		}
	}
	double start = now();
	if (rte_acl_add_rules(context, (const struct rte_acl_rule *)rules, count) != 0)
		fail("rules refused");
	struct rte_acl_config configuration = {.num_categories = 1, .num_fields = FIELDS, .max_size = 0};
	memcpy(configuration.defs, definitions, sizeof(definitions));
	if (rte_acl_build(context, &configuration) != 0)
		fail("build refused");
	printf("build %.6f\n", now() - start);
	free(rules);
	return context;
}

static double classify(const struct rte_acl_ctx *context, const uint8_t **data, uint32_t *results, uint32_t count,
		       uint32_t burst, enum rte_acl_classify_alg algorithm)
{
	double start = now();
	for (uint32_t position = 0; position < count; position += burst) {
		uint32_t some = count - position < burst ? count - position : burst;
		rte_acl_classify_alg(context, data + position, results + position, some, 1, algorithm);
	}
	return now() - start;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		fail("usage: rte_acl FILE RESULTS ROUNDS");
	/* The core that we are on: DPDK pins itself to what it is told. */
	char core[16];
	snprintf(core, sizeof(core), "%d", sched_getcpu());
	char *eal[] = {argv[0], "--no-huge", "-m", "2048", "--no-pci", "--no-telemetry", "--no-shconf", "-l", core,
		       "--force-max-simd-bitwidth=512", "--log-level=1"};
	if (rte_eal_init(sizeof(eal) / sizeof(*eal), eal) < 0)
		fail("no environment");
	FILE *file = fopen(argv[1], "rb");
	if (file == NULL)
		fail("no file");
	uint32_t counts[2];
	get(counts, sizeof(counts), 1, file);
	struct rte_acl_ctx *context = build(file, counts[0]);
	uint32_t count = counts[1];
	uint8_t *packets = malloc(16 * (size_t)count);
	const uint8_t **data = malloc(sizeof(*data) * count);
	uint32_t *results = calloc(count, sizeof(*results));
	get(packets, 16, count, file);
	fclose(file);
	for (uint32_t position = 0; position < count; position++)
		data[position] = packets + 16 * (size_t)position;
	for (size_t which = 0; which < RTE_DIM(algorithms); which++) {
		if (rte_acl_set_ctx_classify(context, algorithms[which].algorithm) != 0)
			continue;
		double best = 1e9;
		for (size_t size = 0; size < RTE_DIM(bursts); size++)
			for (int round = 0; round < atoi(argv[3]); round++) {
				double seconds = classify(context, data, results, count, bursts[size],
							  algorithms[which].algorithm);
				best = seconds < best ? seconds : best;
			}
		printf("%s %.6f\n", algorithms[which].name, best);
	}
	file = fopen(argv[2], "wb");
	if (file == NULL || fwrite(results, sizeof(*results), count, file) != count || fclose(file) != 0)
		fail("cannot write the results");
	rte_eal_cleanup();
	return 0;
}
