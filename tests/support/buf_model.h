/*
 * A byte queue next to a plain array: runs a stream of operations on both and aborts at the first
 * difference. Shared by the fuzzer and by the unit test that feeds it random streams.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void buf_model_run(const uint8_t *ops, size_t len);
