/*
 * Contracts about our own code, and the few macros every file needs.
 *
 * REQUIRE states what a caller owes, ENSURE what a function owes; both stay on in production and
 * abort with file and line. They are never reachable from peer bytes: what a peer sends is judged,
 * not asserted. Never put a side effect into a condition.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define REQUIRE(cond) ((cond) ? (void)0 : check_failed("REQUIRE", #cond, __FILE__, __LINE__))
#define ENSURE(cond)  ((cond) ? (void)0 : check_failed("ENSURE", #cond, __FILE__, __LINE__))
#define UNREACHABLE() check_failed("UNREACHABLE", "", __FILE__, __LINE__)

#define MUST_USE     __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define UNUSED(x)    ((void)(x))

/* Number of elements of an array (not of a pointer). */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of type `type` whose member `member` is at `ptr`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

_Noreturn void check_failed(const char *kind, const char *cond, const char *file, int line);
