/*
 * Owns the counters of backends, from the first configuration that names one to the end of the
 * process. Never moves or frees one before that, and never reads what is in them.
 */
#include "run/ledger.h"

#include <stdlib.h>
#include <string.h>

struct backend_metrics *ledger_find(const struct ledger *ledger, const char *name)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (strcmp(ledger->entries[i]->name, name) == 0)
            return &ledger->entries[i]->metrics;
    }
    return NULL;
}

static bool make_room(struct ledger *ledger, size_t more)
{
    size_t room = ledger->count + more;
    struct ledger_entry **entries;

    if (room <= ledger->room)
        return true;
    entries = realloc(ledger->entries, room * sizeof(struct ledger_entry *));
    if (entries == NULL)
        return false;
    ledger->entries = entries;
    ledger->room = room;
    return true;
}

/* A new page, or the last one, which is shared. */
static struct backend_metrics *add(struct ledger *ledger, const char *name)
{
    struct ledger_entry *entry;

    if (ledger->count == LIMIT_COUNTED || (entry = calloc(1, sizeof(*entry))) == NULL)
        return &ledger->rest;
    entry->name = strdup(name);
    if (entry->name == NULL) {
        free(entry);
        return &ledger->rest;
    }
    ledger->entries[ledger->count++] = entry;
    return &entry->metrics;
}

struct backend_metrics **ledger_open(struct ledger *ledger, const struct conf *conf)
{
    size_t count = conf->routes->backend_count;
    struct backend_metrics **counters = calloc(count + 1, sizeof(struct backend_metrics *));

    if (counters == NULL || !make_room(ledger, count)) {
        free(counters);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = conf->routes->backends[i].name;
        struct backend_metrics *known = ledger_find(ledger, name);
        counters[i] = known != NULL ? known : add(ledger, name);
    }
    return counters;
}

void ledger_fini(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++) {
        free(ledger->entries[i]->name);
        free(ledger->entries[i]);
    }
    free(ledger->entries);
    *ledger = (struct ledger){.entries = NULL};
}
