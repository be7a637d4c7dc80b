/*
 * Counts, rates and penalties: the input is a stream of operations, run beside a model. All
 * invariants are in the model.
 */
#include "support/limit_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    limit_model_run(data, size);
    return 0;
}
