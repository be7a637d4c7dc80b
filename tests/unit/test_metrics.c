/*
 * Latencies: which bucket, which quantile.
 */
#include "waypost/base/metrics.h"

#include <criterion/criterion.h>

#include "waypost/base/check.h"

static struct command_metrics command;

static void add(uint32_t ms, unsigned times)
{
    while (times-- > 0)
        latency_add(&command, ms);
}

Test(metrics, bounds_grow)
{
    for (size_t i = 1; i < COUNT_OF(latency_bound); i++)
        cr_expect_gt(latency_bound[i], latency_bound[i - 1]);
}

Test(metrics, a_bound_belongs_to_its_bucket)
{
    for (size_t i = 0; i < COUNT_OF(latency_bound); i++) {
        command = (struct command_metrics){.ok = 0};
        add(latency_bound[i], 1);
        cr_expect_eq(metric_get(&command.latency[i]), 1, "%u", latency_bound[i]);
        cr_expect_eq(metric_get(&command.latency_sum), latency_bound[i]);
        add(latency_bound[i] + 1, 1);
        cr_expect_eq(metric_get(&command.latency[i + 1]), 1, "%u", latency_bound[i] + 1);
        cr_expect_eq(metric_get(&command.latency_sum), 2 * latency_bound[i] + 1);
    }
    add(UINT32_MAX, 1);
    cr_expect_eq(metric_get(&command.latency[LATENCY_BUCKETS - 1]), 2);
}

Test(metrics, quantiles_without_a_sample)
{
    command = (struct command_metrics){.ok = 5}; /* IDLE is counted, but has no latency */
    cr_expect_eq(latency_quantile(&command, 50), 0);
    cr_expect_eq(latency_quantile(&command, 99), 0);
}

Test(metrics, quantiles)
{
    static const struct {
        const char *name;
        struct {
            uint32_t ms;
            unsigned times;
        } samples[3];
        uint32_t p1, p50, p99, p100;
    } rows[] = {
        {"one at once", {{0, 1}}, 1, 1, 1, 1},
        {"one", {{7, 1}}, 10, 10, 10, 10},
        {"two", {{1, 1}, {1000, 1}}, 1, 1, 1000, 1000},
        {"half and half", {{3, 50}, {300, 50}}, 5, 5, 500, 500},
        {"half and a bit more", {{3, 49}, {300, 51}}, 5, 500, 500, 500},
        {"one in a hundred", {{2, 99}, {40, 1}}, 2, 2, 2, 50},
        {"two in a hundred", {{2, 98}, {40, 2}}, 2, 2, 50, 50},
        {"three heaps", {{0, 10}, {150, 80}, {20000, 10}}, 1, 200, 20000, 20000},
        {"beyond all bounds", {{60000, 3}, {4000000000u, 1}}, 50000, 50000, 50000, 50000},
        {"mostly beyond", {{1, 1}, {60000, 3}}, 1, 50000, 50000, 50000},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        command = (struct command_metrics){.ok = 0};
        for (size_t k = 0; k < COUNT_OF(rows[i].samples); k++)
            add(rows[i].samples[k].ms, rows[i].samples[k].times);
        cr_expect_eq(latency_quantile(&command, 1), rows[i].p1, "%s", rows[i].name);
        cr_expect_eq(latency_quantile(&command, 50), rows[i].p50, "%s", rows[i].name);
        cr_expect_eq(latency_quantile(&command, 99), rows[i].p99, "%s", rows[i].name);
        cr_expect_eq(latency_quantile(&command, 100), rows[i].p100, "%s", rows[i].name);
    }
}
