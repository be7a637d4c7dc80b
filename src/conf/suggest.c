/*
 * Edit distance between short words: insertions, deletions, replacements and swapped neighbours
 * each cost one, case counts nothing. Owns nothing and works on the stack; longer words than
 * WORD_MAX are never suggested.
 */
#include "waypost/conf/suggest.h"

#define WORD_MAX 64u

struct suggest suggest_for(struct slice word)
{
    /* A third of the letters may be wrong, and at least one: enough for typos, too little to
     * suggest something unrelated. */
    size_t near = word.len < 6 ? 1 : word.len / 3;
    return (struct suggest){.word = word, .distance = near + 1};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return ascii_lower(a) == ascii_lower(b);
}

static size_t distance(struct slice a, struct slice b)
{
    size_t rows[3][WORD_MAX + 1]; /* the matrix, of which three rows are needed at a time */

    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t differs = same(a.ptr[i - 1], b.ptr[j - 1]) ? 0 : 1;
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + differs);
            if (i > 1 && j > 1 && same(a.ptr[i - 1], b.ptr[j - 2]) &&
                same(a.ptr[i - 2], b.ptr[j - 1]))
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void suggest_offer(struct suggest *s, const char *candidate)
{
    struct slice other = slice_str(candidate);

    if (s->word.len > WORD_MAX || other.len > WORD_MAX)
        return;
    size_t found = distance(s->word, other);
    if (found >= s->distance)
        return;
    s->distance = found;
    s->best = candidate;
}

void suggest_add(const struct suggest *s, struct str *out)
{
    if (s->best != NULL)
        str_addf(out, "; did you mean \"%s\"?", s->best);
}
