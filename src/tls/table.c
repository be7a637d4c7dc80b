/*
 * Which certificates a host name selects: a sorted table of the DNS names in the certificates'
 * subjectAltName. Owns the pairs and the names. Never looks at the subject's common name.
 * RFC 6066 section 3 (server name), RFC 9525 section 6.3 (wildcards).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "tls/certs.h"
#include "waypost/base/limits.h"

struct cert_name {
    char *text; /* owned; lower case, a wildcard with its "*." */
    const struct cert_pair *pair;
};

bool cert_host_plausible(struct slice host)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    if (host.len == 0 || host.len > LIMIT_HOST)
        return false;
    for (size_t i = 0; i < host.len; i++)
        if (memchr(allowed, host.ptr[i], sizeof(allowed) - 1) == NULL)
            return false;
    return true;
}

/* By name, then in the order of the configuration. */
static int compare(const void *a, const void *b)
{
    const struct cert_name *left = a, *right = b;
    int order = strcmp(left->text, right->text);

    return order != 0 ? order : (left->pair > right->pair) - (left->pair < right->pair);
}

/* Position of the first entry whose name is not before `text`. */
static size_t lower_bound(const struct cert_table *table, const char *text)
{
    size_t low = 0, high = table->name_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(table->names[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Adds the pairs that carry exactly `text`, where their kind is still wanted. */
static bool gather(const struct cert_table *table, const char *text, struct cert_choice *into)
{
    bool any = false;

    for (size_t i = lower_bound(table, text);
         i < table->name_count && strcmp(table->names[i].text, text) == 0; i++) {
        const struct cert_pair *pair = table->names[i].pair;
        if (into->of[pair->kind] == NULL)
            into->of[pair->kind] = pair;
        any = true;
    }
    return any;
}

bool cert_table_find(const struct cert_table *table, const char *host, struct cert_choice *out)
{
    struct cert_choice choice = {{NULL}};
    char name[LIMIT_HOST + 1];
    size_t len = strlen(host), dot;
    bool any;

    if (!cert_host_plausible(slice_of(host, len)))
        return false;
    for (size_t i = 0; i <= len; i++)
        name[i] = ascii_lower(host[i]);
    any = gather(table, name, &choice);
    dot = slice_find(slice_of(name, len), '.');
    if (dot > 0 && dot < len) {
        /* The left-most label, one byte or more, makes room for the asterisk. */
        name[dot - 1] = '*';
        any = gather(table, name + dot - 1, &choice) || any;
    }
    if (any)
        *out = choice;
    return any;
}

/* A name we can match: a host, or a wildcard for the whole left-most label of one. */
static bool usable(struct slice name)
{
    return cert_host_plausible(slice_starts(name, SLICE("*.")) ? slice_skip(name, 2) : name);
}

static bool add_name(struct cert_table *table, const struct cert_pair *pair, struct slice name)
{
    struct cert_name *grown = realloc(table->names, (table->name_count + 1) * sizeof(*grown));
    char *text;

    if (grown == NULL)
        return false;
    table->names = grown;
    text = malloc(name.len + 1);
    if (text == NULL)
        return false;
    for (size_t i = 0; i < name.len; i++)
        text[i] = ascii_lower(name.ptr[i]);
    text[name.len] = '\0';
    table->names[table->name_count++] = (struct cert_name){text, pair};
    return true;
}

/* Adds the DNS names of one certificate; false when memory is short. */
static bool add_names(struct cert_table *table, const struct cert_pair *pair)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(pair->leaf, NID_subject_alt_name, NULL, NULL);
    bool good = true;

    for (int i = 0; good && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
        struct slice name;

        if (one->type != GEN_DNS)
            continue;
        name = slice_of(ASN1_STRING_get0_data(one->d.dNSName),
                        (size_t)ASN1_STRING_length(one->d.dNSName));
        if (usable(name))
            good = add_name(table, pair, name);
    }
    GENERAL_NAMES_free(all);
    return good;
}

static bool carries(const struct cert_table *table, const struct cert_pair *pair, const char *name)
{
    for (size_t i = lower_bound(table, name);
         i < table->name_count && strcmp(table->names[i].text, name) == 0; i++)
        if (table->names[i].pair == pair)
            return true;
    return false;
}

/* Whoever takes the first certificate for some name may get `pair` for it as well. */
static bool stands_in(const struct cert_table *table, const struct cert_pair *pair)
{
    bool any = false;

    for (size_t i = 0; i < table->name_count; i++) {
        if (table->names[i].pair != table->pairs)
            continue;
        if (!carries(table, pair, table->names[i].text))
            return false;
        any = true;
    }
    return any;
}

static void choose_fallback(struct cert_table *table)
{
    table->fallback.of[table->pairs[0].kind] = &table->pairs[0];
    for (size_t i = 1; i < table->pair_count; i++) {
        const struct cert_pair *pair = &table->pairs[i];
        if (table->fallback.of[pair->kind] == NULL && stands_in(table, pair))
            table->fallback.of[pair->kind] = pair;
    }
}

/* Loads pair `i` of the configuration into its place. */
static bool load_one(struct cert_table *table, const struct conf_tls *tls, size_t i,
                     const struct cert_site *site)
{
    const struct conf_certificate *from = &tls->certificates[i];
    struct cert_pair *pair = &table->pairs[i];
    size_t before = table->name_count;
    struct cert_site here = *site;
    char object[64];

    snprintf(object, sizeof(object), "/tls/certificates/%zu", i);
    here.object = object;
    if (!cert_pair_load(&here, from->chain, from->key, pair))
        return false;
    if (!add_names(table, pair)) {
        cert_site_add(&here, "chain", "out of memory");
        return false;
    }
    if (i > 0 && table->name_count == before) {
        cert_site_add(&here, "chain",
                      "%s has no DNS name in its subjectAltName, so no server name "
                      "selects it; only the first certificate may do without",
                      from->chain);
        return false;
    }
    return true;
}

bool cert_table_load(const struct conf_tls *tls, const char *file, struct conf_errors *errors,
                     struct cert_table *out)
{
    struct cert_site site = {errors, file, "/tls"};
    struct cert_table table = {.pairs = calloc(tls->certificate_count, sizeof(*table.pairs))};
    bool good = table.pairs != NULL;

    REQUIRE(tls->certificate_count > 0);
    if (!good)
        cert_site_add(&site, "certificates", "out of memory");
    for (size_t i = 0; table.pairs != NULL && i < tls->certificate_count; i++) {
        good = load_one(&table, tls, i, &site) && good;
        table.pair_count++;
    }
    if (!good) {
        cert_table_clear(&table);
        return false;
    }
    if (table.name_count > 1)
        qsort(table.names, table.name_count, sizeof(*table.names), compare);
    choose_fallback(&table);
    *out = table;
    return true;
}

void cert_table_clear(struct cert_table *table)
{
    for (size_t i = 0; i < table->name_count; i++)
        free(table->names[i].text);
    free(table->names);
    for (size_t i = 0; i < table->pair_count; i++)
        cert_pair_clear(&table->pairs[i]);
    free(table->pairs);
    *table = (struct cert_table){0};
}
