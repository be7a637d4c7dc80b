/*
 * The only caller of PCRE2. A pattern owns its compiled form and its limits, which are read-only
 * once made; a match owns its working memory for the length of the call.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "waypost/conf/pattern.h"

#include <pcre2.h>

#include "conf/memory.h"
#include "waypost/base/limits.h"

struct conf_pattern {
    pcre2_code *code; /* NULL: the text was no pattern */
    pcre2_match_context *limits;
};

#define MESSAGE_MAX 128u

/* Without \C, which would take a character apart. */
#define OPTIONS                                                                             \
    (PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | \
     PCRE2_NEVER_BACKSLASH_C)

static void add_message(struct str *problem, int code, size_t offset)
{
    PCRE2_UCHAR message[MESSAGE_MAX];

    int len = pcre2_get_error_message(code, message, sizeof(message));
    str_addf(problem, "not a pattern: at offset %zu: ", offset);
    for (int i = 0; i < len; i++)
        str_addc(problem, (char)message[i]);
}

static pcre2_match_context *new_limits(void)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);

    ENSURE(limits != NULL);
    pcre2_set_match_limit(limits, LIMIT_PATTERN_STEPS);
    pcre2_set_depth_limit(limits, LIMIT_PATTERN_DEPTH);
    pcre2_set_heap_limit(limits, LIMIT_PATTERN_HEAP / 1024);
    return limits;
}

struct conf_pattern *pattern_new(struct slice text, struct str *problem)
{
    struct conf_pattern *pattern = memory_new(1, sizeof(*pattern));
    int code;
    size_t offset;
    uint32_t groups = 0;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)text.ptr, text.len, OPTIONS, &code, &offset, NULL);

    if (compiled == NULL) {
        add_message(problem, code, offset);
        return pattern;
    }
    (void)pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups >= PATTERN_GROUPS) {
        str_addf(problem, "more than %u capturing groups: write (?:...) for those that only group",
                 PATTERN_GROUPS - 1);
        pcre2_code_free(compiled);
        return pattern;
    }
    *pattern = (struct conf_pattern){compiled, new_limits()};
    return pattern;
}

void pattern_free(struct conf_pattern **pattern)
{
    struct conf_pattern *p = *pattern;

    *pattern = NULL;
    if (p == NULL)
        return;
    pcre2_match_context_free(p->limits);
    pcre2_code_free(p->code);
    free(p);
}

static void take_groups(pcre2_match_data *data, int count, struct slice text,
                        struct pattern_match *out)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);

    *out = (struct pattern_match){0};
    for (int i = 0; i < count; i++) {
        size_t from = ends[2 * i], to = ends[2 * i + 1];
        /* \K in a lookahead can put the start behind the end. */
        if (from != PCRE2_UNSET && from <= to)
            out->groups[i] = slice_of(text.ptr + from, to - from);
    }
}

enum pattern_result pattern_match(const struct conf_pattern *pattern, struct slice text,
                                  struct pattern_match *out)
{
    REQUIRE(pattern->code != NULL);
    pcre2_match_data *data = pcre2_match_data_create(PATTERN_GROUPS, NULL);

    if (data == NULL)
        return PATTERN_GAVE_UP;
    int count =
        pcre2_match(pattern->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, data, pattern->limits);
    if (count > 0)
        take_groups(data, count, text, out);
    pcre2_match_data_free(data);
    if (count > 0)
        return PATTERN_MATCHED;
    if (count == PCRE2_ERROR_NOMATCH)
        return PATTERN_DIFFERS;
    return count <= PCRE2_ERROR_UTF8_ERR1 && count >= PCRE2_ERROR_UTF8_ERR21 ? PATTERN_NOT_UTF8
                                                                             : PATTERN_GAVE_UP;
}

bool pattern_group(const struct conf_pattern *pattern, struct slice name, size_t *number)
{
    char text[PATTERN_GROUPS + 1] = {0};
    uint32_t groups = 0;

    if (name.len == 0 || name.len >= sizeof(text))
        return false;
    *number = 0;
    if (pattern->code == NULL)
        return true;
    memcpy(text, name.ptr, name.len);
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    int found = name.len == 1 && text[0] >= '1' && text[0] <= '9'
                    ? text[0] - '0'
                    : pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)text);
    if (found <= 0 || (uint32_t)found > groups)
        return false;
    *number = (size_t)found;
    return true;
}
