/*
 * An intrusive doubly linked ring. The list owns no member: a node is embedded in what it links,
 * and container_of leads back. An unlinked node points at itself, so unlinking twice is harmless.
 */
#pragma once

#include <stdbool.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *node)
{
    node->next = node->prev = node;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_unlink(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}
