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

/* What the placeholder called `name` stands for; false if there is none of this name. */
static bool part_of(struct slice name, const struct username_parts *parts, struct slice *value)
{
    struct slice user = parts->user;
    size_t group;

    if (slice_eq(name, SLICE("user")))
        *value = user;
    else if (slice_eq(name, SLICE("local")))
        *value = slice_take(user, last_at(user));
    else if (slice_eq(name, SLICE("domain")))
        *value = username_domain(user);
    else if (parts->pattern != NULL && pattern_group(parts->pattern, name, &group))
        *value = parts->match == NULL ? SLICE("") : parts->match->groups[group];
    else
        return false;
    return true;
}

/* Cuts the next piece off a template: a placeholder, or text up to the next brace. False at a
 * brace that belongs to nothing. */
static bool next_piece(struct slice *template, const struct username_parts *parts,
                       struct slice *value)
{
    size_t len = 0;

    if (slice_starts(*template, SLICE("{"))) {
        len = slice_find(*template, '}');
        if (len == template->len)
            return false;
        struct slice name = slice_skip(slice_take(*template, len), 1);
        *template = slice_skip(*template, len + 1);
        return part_of(name, parts, value);
    }
    while (len < template->len && template->ptr[len] != '{' && template->ptr[len] != '}')
        len++;
    *value = slice_take(*template, len);
    *template = slice_skip(*template, len);
    return len > 0;
}

bool username_template_legal(struct slice template, const struct conf_pattern *pattern)
{
    struct username_parts parts = {.pattern = pattern};
    struct slice value;

    if (template.len == 0)
        return false;
    while (template.len > 0) {
        if (!next_piece(&template, &parts, &value))
            return false;
    }
    return true;
}

bool username_expand(struct slice template, const struct username_parts *parts, struct str *out)
{
    struct slice value;

    while (template.len > 0) {
        if (!next_piece(&template, parts, &value) || value.len == 0)
            return false;
        str_add(out, value);
    }
    return !out->overflow && out->len > 0 && out->len <= LIMIT_USER;
}
