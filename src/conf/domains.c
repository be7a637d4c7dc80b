/*
 * The "domains" of a rule: read as a map, then indexed, so that a look-up costs one probe for the
 * name and one for each parent domain however many there are. The rule owns entries and index.
 */
#include "conf/key.h"
#include "conf/memory.h"
#include "waypost/conf/value.h"

/* ----- look-up ------------------------------------------------------------------------------ */

/* Position of the entry written as `text`, or `none`. */
static size_t position(const struct conf_rule *rule, struct slice text, size_t none)
{
    struct strmap_hit hit;
    return strmap_find(rule->domain_index, text, &hit) ? hit.value : none;
}

const struct conf_domain *conf_domain_find(const struct conf_rule *rule, struct slice domain)
{
    char storage[LIMIT_USER + 2] = "*";
    size_t none = rule->domain_count;
    size_t best = position(rule, domain, none);

    if (domain.len >= LIMIT_USER)
        return NULL;
    memcpy(storage + 1, domain.ptr, domain.len);
    for (size_t i = 1; i < domain.len; i++) {
        if (domain.ptr[i] != '.')
            continue;
        storage[i] = '*'; /* over what precedes ".example.net"; never read again */
        size_t at = position(rule, slice_of(storage + i, domain.len - i + 1), none);
        best = at < best ? at : best;
    }
    return best == none ? NULL : &rule->domains[best];
}

/* ----- reading ------------------------------------------------------------------------------ */

static bool is_domain(struct slice name)
{
    bool ascii = true;

    for (size_t i = 0; i < name.len; i++)
        ascii = ascii && (unsigned char)name.ptr[i] < 0x80;
    return ascii ? value_is_host_name(name) : slice_find(name, '@') == name.len;
}

/* Brings the name to the form in which it is compared and takes "*." off. */
static void settle(struct reader *r, const struct place *at, struct conf_rule *rule, size_t i)
{
    struct conf_domain *domain = &rule->domains[i];
    struct slice name = slice_str(domain->name);

    for (char *c = domain->name; *c != '\0'; c++)
        *c = ascii_lower(*c);
    if (strmap_add(rule->domain_index, name, SLICE(""), (uint32_t)i) != STRMAP_ADDED)
        fault(r, at, "the same domain stands in this rule twice, in different spelling");
    domain->wildcard = slice_starts(name, SLICE("*."));
    if (domain->wildcard)
        memmove(domain->name, domain->name + 2, name.len - 1);
    if (!is_domain(slice_str(domain->name)))
        fault(r, at,
              "expected a domain such as \"example.com\", or \"*.example.com\" for its subdomains");
}

static void describe_domains(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("an object, not empty, from domains to the names of backends or pools"));
}

static bool read_domains(struct reader *r, const struct place *at, const struct key *key,
                         const json_t *value, void *base)
{
    struct conf_rule *rule = base;
    const char *name;
    json_t *member;
    size_t i = 0;

    if (!kind_map.read(r, at, key, value, base))
        return false;
    rule->domain_index = memory_new(1, sizeof(*rule->domain_index));
    strmap_init(rule->domain_index, r->source->seed);
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        struct place here = {.up = at, .name = name};
        settle(r, &here, rule, i++);
    }
    return true;
}

static void release_domains(const struct key *key, void *base)
{
    struct conf_rule *rule = base;

    kind_map.release(key, base);
    if (rule->domain_index != NULL)
        strmap_fini(rule->domain_index);
    free(rule->domain_index);
}

static void schema_domains(const struct key *key, json_t *out)
{
    kind_map.schema(key, out);
}

const struct kind kind_domains = {TYPE(OBJECT), describe_domains, read_domains, release_domains,
                                  schema_domains};
