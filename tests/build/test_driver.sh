#!/usr/bin/env bash
# The driver counts what ran, and fails for what a test program would hide.
source "$(dirname "$0")/plant.bash"
copy Makefile include src/base deploy/deps.sh tests/run tests/fuzz/replay.c tests/support/tsan
head='/* Planted. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
static int *volatile kept;
'

plant tests/unit/test_good.c <<<"$head
Test(good, one) { cr_expect(1); }
Test(good, two) { cr_expect(1); }"
last() { "$@" | tail -n 1; }
says() { test "$(last tests/run "$2")" = "$1"; }
accepts "counts two good tests" says "2 passed, 0 failed" release:unit
refuses "a section without a test" '^0 passed, 1 failed$' tests/run release:loop

plant tests/unit/test_bad.c <<<"$head
Test(bad, good) { cr_expect(1); }
Test(bad, wrong) { cr_expect(0); }
Test(bad, crash) { abort(); }"
refuses "a failed and a crashed test" '^3 passed, 2 failed$' tests/run release:unit

plant tests/unit/test_bad.c <<<"$head
Test(bad, leak) { kept = malloc(7); kept = NULL; }"
accepts "a leak goes unseen in release" says "3 passed, 0 failed" release:unit
refuses "a leak under asan, which Criterion lets pass" '^3 passed, 1 failed$' tests/run asan:unit
refuses "its report is shown" '7 byte\(s\) leaked' tests/run asan:unit

plant tests/unit/test_bad.c <<<"$head
Test(bad, overflow) { kept = malloc(8); kept[2] = 1; free(kept); }"
refuses "a write past the end under asan" 'heap-buffer-overflow' tests/run asan:unit

rm tests/unit/*
plant tests/loop/test_race.c <<<"$head
static int shared;
static void *add(void *x) { shared++; return x; }
Test(race, two_threads)
{
    pthread_t one, two;
    pthread_create(&one, NULL, add, NULL);
    pthread_create(&two, NULL, add, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
}"
refuses "a race under tsan" 'data race' tests/run tsan:loop

plant tests/fuzz/fuzz_picky.c <<<'/* Planted. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 88)
        abort();
    return 0;
}'
rm tests/loop/*
refuses "a target without a corpus" '^0 passed, 1 failed$' tests/run release:corpora
mkdir -p tests/fuzz/corpus/picky
echo fine >tests/fuzz/corpus/picky/fine
accepts "a corpus that is survived" says "1 passed, 0 failed" release:corpora
echo X >tests/fuzz/corpus/picky/crash
refuses "a crash, with the name of its file" 'FAILED tests/fuzz/corpus/picky/crash' \
    tests/run release:corpora
plant tests/unit/test_bad.c <<<'int nonsense'
refuses "a test that does not compile" 'does not build' tests/run release:unit
