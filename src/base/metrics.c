/*
 * Latencies as histograms: fixed buckets, three for each power of ten, so that counts of workers
 * and of days add up. Owns nothing; reads counters that others go on writing.
 */
#include "waypost/base/metrics.h"

#include "waypost/base/check.h"

const uint32_t latency_bound[LATENCY_BUCKETS - 1] = {1,   2,    5,    10,   20,    50,    100,  200,
                                                     500, 1000, 2000, 5000, 10000, 20000, 50000};

void latency_add(struct command_metrics *command, uint32_t ms)
{
    size_t i = 0;

    while (i < COUNT_OF(latency_bound) && ms > latency_bound[i])
        i++;
    metric_add(&command->latency[i], 1);
    metric_add(&command->latency_sum, ms);
}

uint32_t latency_quantile(const struct command_metrics *command, unsigned percent)
{
    uint64_t counts[LATENCY_BUCKETS], total = 0, seen = 0;

    for (size_t i = 0; i < LATENCY_BUCKETS; i++)
        total += counts[i] = metric_get(&command->latency[i]);
    if (total == 0)
        return 0;
    for (size_t i = 0; i < COUNT_OF(latency_bound); i++) {
        seen += counts[i];
        if (seen * 100 >= total * percent)
            return latency_bound[i];
    }
    return latency_bound[COUNT_OF(latency_bound) - 1];
}
