/*
 * The source of configuration files that tests use. Borrows the texts; hands out copies.
 */
#include "support/conf_text.h"

#include <stdio.h>
#include <stdlib.h>

const char conf_text_waypost[] =
    "{\"listeners\": [{\"name\": \"imaps\", \"address\": \"[::]:993\", \"tls\": \"implicit\"}],\n"
    " \"tls\": {\"certificates\": [{\"chain\": \"c.pem\", \"key\": \"k.pem\"}]}}\n";

const char conf_text_routes[] =
    "{\"backends\": {\"b\": {\"address\": \"b.example.net:993\", \"tls\": \"implicit\"}},\n"
    " \"routes\": [{\"to\": \"b\"}]}\n";

static const char *read_text(void *ctx, const char *path, size_t max, char **text, size_t *len)
{
    const struct conf_text *file = ctx;

    while (file->path != NULL && strcmp(file->path, path) != 0)
        file++;
    if (file->path == NULL)
        return "no such file";
    if (file->text.len > max)
        return "too large";
    /* Exactly as many bytes, so that a sanitizer sees what reads beyond them. */
    *text = malloc(file->text.len == 0 ? 1 : file->text.len);
    if (file->text.len > 0)
        memcpy(*text, file->text.ptr, file->text.len);
    *len = file->text.len;
    return NULL;
}

struct conf_source conf_text_source(const struct conf_text *files)
{
    return (struct conf_source){
        .read = read_text, .ctx = (void *)(uintptr_t)files, .seed = UINT64_C(0x5EED)};
}

bool conf_text_load(const char *waypost, const char *routes, const char *users, struct conf **out,
                    struct conf_errors *errors)
{
    struct conf_text files[] = {
        {"waypost.json", slice_str(waypost)},
        {"routes.json", slice_str(routes)},
        {users == NULL ? NULL : "users.tsv", slice_str(users)},
        {NULL, {0}},
    };
    struct conf_source source = conf_text_source(files);

    return conf_load_from("waypost.json", &source, out, errors);
}

const char *conf_text_section(const char *section, const char *members)
{
    static char out[2048];

    snprintf(out, sizeof(out),
             "{\"listeners\": [{\"name\": \"l\", \"address\": \"[::]:993\", \"tls\": "
             "\"implicit\"}],\n\"%s\": {%s},\n"
             "\"tls\": {\"certificates\": [{\"chain\": \"c\", \"key\": \"k\"}]}}",
             section, members);
    return out;
}

const char *conf_text_backend(const char *members)
{
    static char out[2048];

    snprintf(out, sizeof(out),
             "{\"backends\": {\"b\": {\"address\": \"b.example:993\", \"tls\": \"implicit\",\n"
             "%s}},\n\"routes\": [{\"to\": \"b\"}]}",
             members);
    return out;
}
