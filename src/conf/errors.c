/*
 * The list of findings about configuration files. Owns all texts. What files contain may appear in
 * a finding, so control characters are replaced before anybody prints it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/memory.h"
#include "waypost/conf/conf.h"

static char *printable(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '?';
    }
    return text;
}

void conf_errors_add(struct conf_errors *errors, const char *file, unsigned line,
                     const char *pointer, const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    ENSURE(len >= 0);
    errors->list = memory_grow(errors->list, errors->count + 1, sizeof(*errors->list));
    errors->list[errors->count++] = (struct conf_error){
        .file = printable(memory_text(slice_str(file))),
        .line = line,
        .pointer = printable(memory_text(slice_str(pointer))),
        .text = printable(text),
    };
}

void conf_error_text(const struct conf_error *error, struct str *out)
{
    str_addf(out, "%s:", error->file);
    if (error->line > 0)
        str_addf(out, "%u:", error->line);
    if (error->pointer[0] != '\0')
        str_addf(out, " %s:", error->pointer);
    str_addf(out, " %s", error->text);
}

void conf_errors_clear(struct conf_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        free(errors->list[i].file);
        free(errors->list[i].pointer);
        free(errors->list[i].text);
    }
    free(errors->list);
    *errors = (struct conf_errors){0};
}
