/*
 * Normal form and templates of user names. Owns nothing; works on the caller's builders. Only
 * ASCII letters change case: what a mailbox name means beyond that is the backend's business.
 */
#include "waypost/conf/username.h"

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

static size_t last_at(struct slice user)
{
    size_t i = user.len;
    while (i > 0 && user.ptr[i - 1] != '@')
        i--;
    return i == 0 ? user.len : i - 1;
}

struct slice username_domain(struct slice user)
{
    return slice_skip(user, last_at(user) + 1);
}

bool username_normalize(const struct conf_normalize *normalize, struct slice name, struct str *out)
{
    if (name.len == 0 || name.len > LIMIT_USER || name.ptr[0] == '@' ||
        name.ptr[name.len - 1] == '@')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (is_control(name.ptr[i]))
            return false;
        str_addc(out, normalize->lowercase ? ascii_lower(name.ptr[i]) : name.ptr[i]);
    }
    if (normalize->default_domain != NULL && slice_find(name, '@') == name.len)
        str_addf(out, "@%s", normalize->default_domain);
    return !out->overflow && out->len <= LIMIT_USER;
}

enum part { PART_USER, PART_LOCAL, PART_DOMAIN, PART_COUNT };

static const struct slice part_names[PART_COUNT] = {
    [PART_USER] = {"{user}", 6},
    [PART_LOCAL] = {"{local}", 7},
    [PART_DOMAIN] = {"{domain}", 8},
};

/* The placeholder at the start of `text`, or PART_COUNT. */
static enum part part_at(struct slice text)
{
    enum part part = 0;
    while (part < PART_COUNT && !slice_starts(text, part_names[part]))
        part++;
    return part;
}

/* Cuts the next piece off a template: a placeholder, or text up to the next brace. False at a
 * brace that belongs to nothing. */
static bool next_piece(struct slice *template, enum part *part, struct slice *text)
{
    size_t len = 0;

    *part = part_at(*template);
    if (*part != PART_COUNT) {
        *template = slice_skip(*template, part_names[*part].len);
        return true;
    }
    while (len < template->len && template->ptr[len] != '{' && template->ptr[len] != '}')
        len++;
    *text = slice_take(*template, len);
    *template = slice_skip(*template, len);
    return len > 0;
}

bool username_template_legal(struct slice template)
{
    enum part part;
    struct slice text;

    if (template.len == 0)
        return false;
    while (template.len > 0) {
        if (!next_piece(&template, &part, &text))
            return false;
    }
    return true;
}

bool username_expand(struct slice template, struct slice user, struct str *out)
{
    struct slice values[PART_COUNT + 1] = {
        [PART_USER] = user,
        [PART_LOCAL] = slice_take(user, last_at(user)),
        [PART_DOMAIN] = username_domain(user),
    };
    enum part part;

    while (template.len > 0) {
        if (!next_piece(&template, &part, &values[PART_COUNT]) || values[part].len == 0)
            return false;
        str_add(out, values[part]);
    }
    return !out->overflow && out->len > 0 && out->len <= LIMIT_USER;
}
