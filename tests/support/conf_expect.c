/*
 * Loads configurations from memory and compares the findings.
 */
#include "support/conf_expect.h"

#include <criterion/criterion.h>

const char *conf_text_findings(const char *waypost, const char *routes)
{
    static char out[8192];
    struct str text = STR_ON(out);
    struct conf_errors errors = {0};
    struct conf *conf = NULL;
    bool loaded = conf_text_load(waypost, routes, NULL, &conf, &errors);

    cr_expect_eq(loaded, errors.count == 0);
    cr_expect_eq(loaded, conf != NULL);
    for (size_t i = 0; i < errors.count; i++)
        str_addf(&text, "%s:%u %s %s\n", errors.list[i].file, errors.list[i].line,
                 errors.list[i].pointer, errors.list[i].text);
    conf_release(&conf);
    conf_errors_clear(&errors);
    return out;
}

void conf_text_expect(const struct conf_text_row *rows, size_t count,
                      const char *(*wrap)(const char *), bool as_routes)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = wrap(rows[i].given);
        const char *found = as_routes ? conf_text_findings(conf_text_waypost, text)
                                      : conf_text_findings(text, conf_text_routes);
        if (rows[i].finding[0] == '\0')
            cr_expect_str_empty(found, "%s: %s", rows[i].given, found);
        else
            cr_expect(strstr(found, rows[i].finding) != NULL, "%s\nwanted %s\nfound  %s",
                      rows[i].given, rows[i].finding, found);
    }
}
