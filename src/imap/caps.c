/*
 * Capability sets (RFC 9051 section 6.1.1) and what a client behind a proxy may see of one. Owns
 * the words of a set; rewriting goes into the caller's builder.
 */
#include "waypost/imap/caps.h"

#include <stdlib.h>

#include "chars.h"
#include "head.h"
#include "waypost/base/limits.h"

/* What a proxy cannot carry for a client that is logged in: it has TLS and identity already, and
 * both are the proxy's own (RFC 8437 section 3 for UNAUTHENTICATE, RFC 2221 for referrals). */
static const char *const never_shown[] = {
    "STARTTLS", "AUTH=*", "SASL-IR", "LOGINDISABLED", "LOGIN-REFERRALS", "UNAUTHENTICATE",
};

/* The next word; false when there is none. */
static bool take_word(struct slice *words, struct slice *word)
{
    do {
        *word = slice_cut(words, ' ');
    } while (word->len == 0 && words->len > 0);
    return word->len > 0;
}

/* Words are sent on inside brackets: only atoms may be, so that none of them can end the code. */
static bool is_atom(struct slice word)
{
    return imap_astring_run(word) == word.len && slice_find(word, ']') == word.len;
}

static bool has_word(struct slice words, struct slice wanted)
{
    struct slice word;

    while (take_word(&words, &word)) {
        if (slice_eq_nocase(word, wanted))
            return true;
    }
    return false;
}

bool caps_set(struct caps *c, struct slice words)
{
    struct str list;
    struct slice word;
    char *storage = malloc(words.len < LIMIT_CAPS ? words.len + 1 : LIMIT_CAPS + 1);

    caps_clear(c);
    if (storage == NULL)
        return false;
    list = str_on(storage, words.len < LIMIT_CAPS ? words.len + 1 : LIMIT_CAPS + 1);
    while (take_word(&words, &word)) {
        if (!is_atom(word) || has_word(str_slice(&list), word))
            continue;
        if (list.len > 0)
            str_addc(&list, ' ');
        str_add(&list, word);
    }
    if (list.overflow) {
        free(storage);
        return false;
    }
    *c = (struct caps){.words = storage, .len = list.len};
    return true;
}

void caps_clear(struct caps *c)
{
    free(c->words);
    *c = CAPS_UNKNOWN;
}

bool caps_known(const struct caps *c)
{
    return c->words != NULL;
}

bool caps_has(const struct caps *c, struct slice word)
{
    return has_word(caps_words(c), word);
}

struct slice caps_words(const struct caps *c)
{
    return slice_of(c->words, c->len);
}

/* A final `*` stands for anything. */
static bool matches(struct slice word, const char *pattern)
{
    struct slice p = slice_str(pattern);

    if (p.len > 0 && p.ptr[p.len - 1] == '*')
        return slice_starts_nocase(word, slice_take(p, p.len - 1));
    return slice_eq_nocase(word, p);
}

static bool hidden(struct slice word, char *const *hide, size_t hide_count)
{
    for (size_t i = 0; i < COUNT_OF(never_shown); i++) {
        if (matches(word, never_shown[i]))
            return true;
    }
    for (size_t i = 0; i < hide_count; i++) {
        if (matches(word, hide[i]))
            return true;
    }
    return false;
}

/* Appends what may be shown, each word behind `gap`; the first one behind `first`. */
static void filter(struct slice words, char *const *hide, size_t hide_count, struct slice first,
                   struct str *out)
{
    struct slice word, gap = first;

    while (take_word(&words, &word)) {
        if (hidden(word, hide, hide_count))
            continue;
        str_add(out, gap);
        str_add(out, word);
        gap = SLICE(" ");
    }
}

void caps_filter(struct slice words, char *const *hide, size_t hide_count, struct str *out)
{
    filter(words, hide, hide_count, SLICE(""), out);
}

void caps_filter_line(struct slice line, char *const *hide, size_t hide_count, struct str *out)
{
    struct head head;
    size_t end;

    if (head_read(line, &head) != DONE || !head.caps) {
        str_add(out, line);
        return;
    }
    end = line.len;
    while (end > head.words && (line.ptr[end - 1] == '\n' || line.ptr[end - 1] == '\r'))
        end--;
    /* A code that is never closed is filtered to the line's end rather than let through. */
    if (head.status != STATUS_OTHER) {
        struct slice code = slice_of(line.ptr + head.words, end - head.words);
        end = head.words + slice_find(code, ']');
    }
    str_add(out, slice_take(line, head.words));
    filter(slice_of(line.ptr + head.words, end - head.words), hide, hide_count, SLICE(" "), out);
    str_add(out, slice_skip(line, end));
}
