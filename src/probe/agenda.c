/*
 * A binary heap by due time. Owns its array; knows nothing of what a number stands for.
 */
#include "waypost/probe/agenda.h"

#include <stdlib.h>

bool agenda_init(struct agenda *a, size_t room)
{
    *a = (struct agenda){.heap = calloc(room + 1, sizeof(*a->heap)), .room = room};
    return a->heap != NULL;
}

void agenda_fini(struct agenda *a)
{
    free(a->heap);
    *a = (struct agenda){.heap = NULL};
}

static void swap(struct agenda_entry *a, struct agenda_entry *b)
{
    struct agenda_entry kept = *a;

    *a = *b;
    *b = kept;
}

static void rise(struct agenda *a, size_t at)
{
    while (at > 0 && a->heap[at].due < a->heap[(at - 1) / 2].due) {
        swap(&a->heap[at], &a->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sink(struct agenda *a, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < a->count && a->heap[child + 1].due < a->heap[child].due)
            child++;
        if (child >= a->count || a->heap[at].due <= a->heap[child].due)
            return;
        swap(&a->heap[at], &a->heap[child]);
        at = child;
    }
}

void agenda_add(struct agenda *a, size_t index, uint64_t due)
{
    REQUIRE(a->count < a->room);
    a->heap[a->count] = (struct agenda_entry){due, index};
    rise(a, a->count++);
}

uint64_t agenda_due(const struct agenda *a)
{
    return a->count == 0 ? AGENDA_NEVER : a->heap[0].due;
}

bool agenda_take(struct agenda *a, uint64_t now, size_t *index)
{
    if (a->count == 0 || a->heap[0].due > now)
        return false;
    *index = a->heap[0].index;
    a->heap[0] = a->heap[--a->count];
    sink(a, 0);
    return true;
}

void agenda_hurry(struct agenda *a, bool (*urgent)(void *ctx, size_t index), void *ctx,
                  uint64_t now)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->heap[i].due > now && urgent(ctx, a->heap[i].index))
            a->heap[i].due = now;
    }
    for (size_t i = a->count / 2; i > 0; i--)
        sink(a, i - 1);
}

uint64_t agenda_pause(uint64_t interval, bool unsettled, uint32_t random)
{
    uint64_t pause = unsettled && interval > AGENDA_HURRY ? AGENDA_HURRY : interval;

    return pause - pause / 10 + random % (pause / 5 + 1);
}
