/*
 * The byte queue: the input is a stream of operations, run beside a model. All invariants are in
 * the model.
 */
#include "support/buf_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    buf_model_run(data, size);
    return 0;
}
