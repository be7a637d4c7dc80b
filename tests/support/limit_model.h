/*
 * Counts, rates and penalties beside a model that forgets nothing. The input is a stream of
 * operations; the first byte is the size of the tables.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Aborts when the tables and the model disagree. */
void limit_model_run(const uint8_t *data, size_t size);
