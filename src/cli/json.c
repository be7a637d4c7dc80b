/*
 * JSON on standard output (RFC 8259). Owns nothing. Whether the output arrived is checked once,
 * when the program ends.
 */
#include "cli/json.h"

#include <inttypes.h>
#include <stdio.h>

static void put_char(struct slice rest, size_t len)
{
    unsigned char c = (unsigned char)rest.ptr[0];

    if (len == 0)
        fputs("\\uFFFD", stdout);
    else if (c < 0x20 || c == 0x7F)
        printf("\\u%04X", c);
    else if (c == '"' || c == '\\')
        printf("\\%c", c);
    else
        fwrite(rest.ptr, 1, len, stdout);
}

static void put_text(struct slice text)
{
    putchar('"');
    while (text.len > 0) {
        size_t len = slice_utf8_len(text);
        put_char(text, len);
        text = slice_skip(text, len == 0 ? 1 : len);
    }
    putchar('"');
}

static void new_line(const struct json_out *out)
{
    printf("\n%*s", (int)(2 * out->depth), "");
}

static void put_key(struct json_out *out, const char *key)
{
    if (out->follows)
        putchar(',');
    if (out->depth > 0)
        new_line(out);
    out->follows = true;
    if (key == NULL)
        return;
    put_text(slice_str(key));
    fputs(": ", stdout);
}

void json_begin(struct json_out *out, const char *key, char bracket)
{
    put_key(out, key);
    putchar(bracket);
    out->depth++;
    out->follows = false;
}

void json_end(struct json_out *out, char bracket)
{
    out->depth--;
    if (out->follows)
        new_line(out);
    out->follows = true;
    putchar(bracket);
    if (out->depth == 0)
        putchar('\n');
}

void json_text(struct json_out *out, const char *key, struct slice text)
{
    put_key(out, key);
    put_text(text);
}

void json_num(struct json_out *out, const char *key, uint64_t n)
{
    put_key(out, key);
    printf("%" PRIu64, n);
}

void json_bool(struct json_out *out, const char *key, bool truth)
{
    put_key(out, key);
    fputs(truth ? "true" : "false", stdout);
}
