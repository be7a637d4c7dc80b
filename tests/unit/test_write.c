/*
 * The shortest safe form of a string, and that what is written reads back the same.
 */
#include <criterion/criterion.h>

#include "waypost/imap/command.h"
#include "waypost/imap/write.h"

Test(write, forms)
{
    const struct {
        const char *name;
        struct slice value;
        enum write_form form;
    } rows[] = {
        {"plain", SLICE("alice@example.org"), WRITE_ATOM},
        {"bracket", SLICE("a]b"), WRITE_ATOM},
        {"plus", SLICE("a+b"), WRITE_ATOM},
        {"empty", SLICE(""), WRITE_QUOTED},
        {"space", SLICE("a b"), WRITE_QUOTED},
        {"quote", SLICE("a\"b"), WRITE_QUOTED},
        {"backslash", SLICE("a\\b"), WRITE_QUOTED},
        {"brace", SLICE("{5}"), WRITE_QUOTED},
        {"percent", SLICE("50%"), WRITE_QUOTED},
        {"star", SLICE("*"), WRITE_QUOTED},
        {"control", SLICE("a\x01"), WRITE_QUOTED},
        {"delete", SLICE("a\x7f"), WRITE_QUOTED},
        {"NIL", SLICE("nil"), WRITE_QUOTED},
        {"begins like NIL", SLICE("nile"), WRITE_ATOM},
        {"8-bit", SLICE("p\xc3\xa4ss"), WRITE_LITERAL},
        {"CR", SLICE("a\rb"), WRITE_LITERAL},
        {"LF", SLICE("a\nb"), WRITE_LITERAL},
        {"NUL", SLICE("a\0b"), WRITE_NEVER},
        {"NUL and LF", SLICE("\n\0"), WRITE_NEVER},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(write_form_of(rows[i].value), rows[i].form, "%s", rows[i].name);
}

Test(write, t23_every_7bit_byte_reads_back)
{
    for (int c = 1; c < 128; c++) {
        char value[3] = {'x', (char)c, 'y'}, storage[16];
        struct slice text = slice_of(value, 3), args;
        struct secret back = SECRET_EMPTY;
        struct str out = STR_ON(storage);

        if (c == '\r' || c == '\n')
            continue;
        write_astring(&out, text);
        args = str_slice(&out);
        cr_expect(command_astring(&args, 3, &back), "byte %d", c);
        cr_expect(slice_eq(secret_reveal(&back), text), "byte %d", c);
        cr_expect_eq(args.len, 0, "byte %d", c);
        secret_clear(&back);
    }
}

Test(write, quotes)
{
    char storage[64];
    struct str out = STR_ON(storage);

    write_astring(&out, SLICE("a\"b\\c"));
    str_addc(&out, ' ');
    write_astring(&out, SLICE("plain"));
    str_addc(&out, ' ');
    write_astring(&out, SLICE(""));
    cr_expect_str_eq(out.data, "\"a\\\"b\\\\c\" plain \"\"");
}

Test(write, nstring)
{
    char storage[64];
    struct str out = STR_ON(storage);

    write_nstring(&out, slice_of(NULL, 0));
    str_addc(&out, ' ');
    write_nstring(&out, SLICE("NIL"));
    str_addc(&out, ' ');
    write_nstring(&out, SLICE("x"));
    cr_expect_str_eq(out.data, "NIL \"NIL\" \"x\"");
}
