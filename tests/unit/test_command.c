/*
 * Names and arguments of client commands. The inputs are binary on purpose: nothing may stop at a
 * NUL.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "waypost/base/limits.h"
#include "waypost/imap/command.h"

Test(command, names)
{
    const struct {
        struct slice bytes;
        enum command_error error;
        enum command_name name;
        struct slice args;
    } rows[] = {
        {SLICE("a CAPABILITY\r\n"), COMMAND_FINE, COMMAND_CAPABILITY, SLICE("")},
        {SLICE("a capability\n"), COMMAND_FINE, COMMAND_CAPABILITY, SLICE("")},
        {SLICE("a CAPABILITY x\r\n"), COMMAND_BAD_ARGS, COMMAND_CAPABILITY, SLICE("x")},
        {SLICE("a CAPABILITY \r\n"), COMMAND_BAD_ARGS, COMMAND_CAPABILITY, SLICE("")},
        {SLICE("a NoOp\r\n"), COMMAND_FINE, COMMAND_NOOP, SLICE("")},
        {SLICE("a LOGOUT\r\n"), COMMAND_FINE, COMMAND_LOGOUT, SLICE("")},
        {SLICE("a STARTTLS\r\n"), COMMAND_FINE, COMMAND_STARTTLS, SLICE("")},
        {SLICE("a STARTTLS now\r\n"), COMMAND_BAD_ARGS, COMMAND_STARTTLS, SLICE("now")},
        {SLICE("a ID NIL\r\n"), COMMAND_FINE, COMMAND_ID, SLICE("NIL")},
        {SLICE("a ENABLE CONDSTORE X\r\n"), COMMAND_FINE, COMMAND_ENABLE, SLICE("CONDSTORE X")},
        {SLICE("a LOGIN u p\r\n"), COMMAND_FINE, COMMAND_LOGIN, SLICE("u p")},
        {SLICE("a LOGIN  u p\r\n"), COMMAND_FINE, COMMAND_LOGIN, SLICE(" u p")},
        {SLICE("a LOGIN\r\n"), COMMAND_BAD_ARGS, COMMAND_LOGIN, SLICE("")},
        {SLICE("a LOGIN \r\n"), COMMAND_BAD_ARGS, COMMAND_LOGIN, SLICE("")},
        {SLICE("a AUTHENTICATE PLAIN\r\n"), COMMAND_FINE, COMMAND_AUTHENTICATE, SLICE("PLAIN")},
        {SLICE("a AUTHENTICATE\r\n"), COMMAND_BAD_ARGS, COMMAND_AUTHENTICATE, SLICE("")},
        {SLICE("a SELECT x y\r\n"), COMMAND_FINE, COMMAND_UNKNOWN, SLICE("x y")},
        {SLICE("a LOGINX u p\r\n"), COMMAND_FINE, COMMAND_UNKNOWN, SLICE("u p")},
        {SLICE("a NOOP\0\r\n"), COMMAND_FINE, COMMAND_UNKNOWN, SLICE("")},
        {SLICE("a LOGIN {2+}\r\nu  {1+}\r\n\n\r\n"), COMMAND_FINE, COMMAND_LOGIN,
         SLICE("{2+}\r\nu  {1+}\r\n\n")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct command c;
        cr_expect_eq(command_parse(rows[i].bytes, &c), rows[i].error, "row %zu", i);
        cr_expect(slice_eq(c.tag, SLICE("a")), "row %zu", i);
        cr_expect_eq(c.name, rows[i].name, "row %zu", i);
        cr_expect(slice_eq(c.args, rows[i].args), "row %zu", i);
    }
}

Test(command, word_is_kept_as_sent)
{
    struct command c;

    cr_assert_eq(command_parse(SLICE("a xFoo bar\r\n"), &c), COMMAND_FINE);
    cr_expect(slice_eq(c.word, SLICE("xFoo")));
}

Test(command, t27_tags)
{
    char longest[LIMIT_TAG];
    struct command c;

    memset(longest, 'T', sizeof longest);
    cr_expect(command_tag_legal(slice_of(longest, LIMIT_TAG - 1)));
    cr_expect_not(command_tag_legal(slice_of(longest, LIMIT_TAG)));
    cr_expect_not(command_tag_legal(SLICE("")));
    for (int ch = 0; ch < 256; ch++) {
        char tag[2] = {'a', (char)ch};
        bool legal = ch > 32 && ch < 127 && strchr("(){%*\"\\+", ch) == NULL;
        cr_expect_eq(command_tag_legal(slice_of(tag, 2)), legal, "byte %d", ch);
    }
    cr_expect_eq(command_parse(SLICE("a.1]-_/&~}[: NOOP\r\n"), &c), COMMAND_FINE);
}

Test(command, t27_bad_beginnings)
{
    const struct {
        struct slice bytes;
        enum command_error error;
    } rows[] = {
        {SLICE(""), COMMAND_BAD_TAG},
        {SLICE("\r\n"), COMMAND_BAD_TAG},
        {SLICE(" NOOP\r\n"), COMMAND_BAD_TAG},
        {SLICE("+ NOOP\r\n"), COMMAND_BAD_TAG},
        {SLICE("* NOOP\r\n"), COMMAND_BAD_TAG},
        {SLICE("a+ NOOP\r\n"), COMMAND_BAD_TAG},
        {SLICE("a\0 NOOP\r\n"), COMMAND_BAD_TAG},
        {SLICE("\xc3\xa4 NOOP\r\n"), COMMAND_BAD_TAG},
        {SLICE("a{3+}\r\nb c NOOP\r\n"), COMMAND_BAD_TAG},
        {SLICE("GET / HTTP/1.1\r\n"), COMMAND_FINE},
        {SLICE("a\r\n"), COMMAND_NO_NAME},
        {SLICE("a \r\n"), COMMAND_NO_NAME},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct command c;
        cr_expect_eq(command_parse(rows[i].bytes, &c), rows[i].error, "row %zu", i);
        if (rows[i].error == COMMAND_NO_NAME)
            cr_expect(slice_eq(c.tag, SLICE("a")), "row %zu", i);
    }
}

Test(command, table_is_complete)
{
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        cr_expect_not_null(command_table[i].name, "row %u", i);
    cr_expect_not(command_table[COMMAND_LOGIN].in_clear);
    cr_expect_not(command_table[COMMAND_AUTHENTICATE].in_clear);
    cr_expect(command_table[COMMAND_STARTTLS].in_clear);
}

Test(command, t21_login_in_every_form)
{
    const struct {
        struct slice args, user, password;
    } rows[] = {
        {SLICE("u p"), SLICE("u"), SLICE("p")},
        {SLICE("\"u\" \"p\""), SLICE("u"), SLICE("p")},
        {SLICE("{1}\r\nu p"), SLICE("u"), SLICE("p")},
        {SLICE("{1+}\r\nu {2+}\r\np "), SLICE("u"), SLICE("p ")},
        {SLICE("u {3}\r\n\"p\\"), SLICE("u"), SLICE("\"p\\")},
        {SLICE("{3+}\nu v \"a\\\"b\\\\c\""), SLICE("u v"), SLICE("a\"b\\c")},
        {SLICE("{0}\r\n \"\""), SLICE(""), SLICE("")},
        {SLICE("u@[x] {5}\r\n{1+}p"), SLICE("u@[x]"), SLICE("{1+}p")},
        {SLICE("\"\xc3\xa4\" {2}\r\n\xc3\xa4"), SLICE("\xc3\xa4"), SLICE("\xc3\xa4")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret user = SECRET_EMPTY, password = SECRET_EMPTY;
        cr_expect(command_login(rows[i].args, &user, &password), "row %zu", i);
        cr_expect(slice_eq(secret_reveal(&user), rows[i].user), "row %zu", i);
        cr_expect(slice_eq(secret_reveal(&password), rows[i].password), "row %zu", i);
        secret_clear(&user);
        secret_clear(&password);
    }
}

Test(command, login_of_the_wrong_shape)
{
    const struct slice rows[] = {
        SLICE(""),
        SLICE("u"),
        SLICE("u "),
        SLICE(" u p"),
        SLICE("u  p"),
        SLICE("u p "),
        SLICE("u p q"),
        SLICE("u\tp"),
        SLICE("\"u\"p"),
        SLICE("\"u p"),
        SLICE("\"u\\n\" p"),
        SLICE("\"u\\"),
        SLICE("\"u\\\" p"),
        SLICE("u (p)"),
        SLICE("u p%"),
        SLICE("u \xc3\xa4"),
        SLICE("~{1+}\r\nu p"),
        SLICE("{5+}\r\nu p"),
        SLICE("{1}u p"),
        SLICE("{x} {1}\r\nu p"),
        SLICE("{1} {1}\r\nu p"),
        SLICE("{99999999999999999999}\r\nu p"),
        SLICE("{9223372036854775807}\r\nu p"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret user = SECRET_EMPTY, password = SECRET_EMPTY;
        cr_expect_not(command_login(rows[i], &user, &password), "row %zu", i);
        cr_expect_null(user.data, "row %zu", i);
        cr_expect_null(password.data, "row %zu", i);
    }
}

Test(command, t23_values_that_could_inject)
{
    const struct slice rows[] = {
        SLICE("{5+}\r\nu\r\nxy p"),
        SLICE("{2+}\r\nu\n p"),
        SLICE("{2+}\r\nu\r p"),
        SLICE("u {3+}\r\np\0q"),
        SLICE("\"u\r\nb X\" p"),
        SLICE("\"u\0\" p"),
        SLICE("u\0 p"),
        SLICE("u {2+}\r\n\n\r"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret user = SECRET_EMPTY, password = SECRET_EMPTY;
        cr_expect_not(command_login(rows[i], &user, &password), "row %zu", i);
    }
}

Test(command, login_user_length)
{
    char args[LIMIT_USER + 8];
    struct secret user = SECRET_EMPTY, password = SECRET_EMPTY;

    memset(args, 'u', sizeof args);
    memcpy(args + LIMIT_USER, " p", 2);
    cr_expect(command_login(slice_of(args, LIMIT_USER + 2), &user, &password));
    cr_expect_eq(user.len, LIMIT_USER);
    memcpy(args + LIMIT_USER, "u p", 3);
    cr_expect_not(command_login(slice_of(args, LIMIT_USER + 3), &user, &password));
    cr_expect_null(user.data);
}

Test(command, astring_stops_behind_its_value)
{
    const struct {
        struct slice args, value, rest;
    } rows[] = {
        {SLICE("abc def"), SLICE("abc"), SLICE(" def")},
        {SLICE("\"a b\"x"), SLICE("a b"), SLICE("x")},
        {SLICE("{2+}\r\nab{1}\r\nc"), SLICE("ab"), SLICE("{1}\r\nc")},
        {SLICE("\"\\\\\\\"\""), SLICE("\\\""), SLICE("")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret out = SECRET_EMPTY;
        struct slice args = rows[i].args;
        cr_expect(command_astring(&args, 3, &out), "row %zu", i);
        cr_expect(slice_eq(secret_reveal(&out), rows[i].value), "row %zu", i);
        cr_expect(slice_eq(args, rows[i].rest), "row %zu", i);
        secret_clear(&out);
        args = rows[i].args;
        cr_expect_not(command_astring(&args, 1, &out), "row %zu", i);
        cr_expect(slice_eq(args, rows[i].args), "row %zu", i);
    }
}

Test(command, login_user_for_the_audit_log)
{
    const struct {
        struct slice args;
        const char *want;
    } rows[] = {
        {SLICE("u p"), "u"},
        {SLICE("\"a b\" garbage)("), "a b"},
        {SLICE("{3}\r\nbob p"), "bob"},
        {SLICE("(u) p"), ""},
        {SLICE(""), ""},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char storage[64];
        struct str out = STR_ON(storage);
        command_login_user(rows[i].args, &out);
        cr_expect_str_eq(out.data, rows[i].want, "row %zu", i);
    }
}

Test(command, t32_authenticate)
{
    const struct {
        struct slice args;
        bool good;
        struct slice mechanism;
        bool has_initial;
        struct slice initial;
    } rows[] = {
        {SLICE("PLAIN"), true, SLICE("PLAIN"), false, SLICE("")},
        {SLICE("PLAIN AGEAYg=="), true, SLICE("PLAIN"), true, SLICE("AGEAYg==")},
        {SLICE("EXTERNAL ="), true, SLICE("EXTERNAL"), true, SLICE("")},
        {SLICE("scram-sha-256 biws"), true, SLICE("scram-sha-256"), true, SLICE("biws")},
        {SLICE("PLAIN =="), true, SLICE("PLAIN"), true, SLICE("==")},
        {SLICE(""), false, SLICE(""), false, SLICE("")},
        {SLICE("PLAIN "), false, SLICE(""), false, SLICE("")},
        {SLICE(" PLAIN"), false, SLICE(""), false, SLICE("")},
        {SLICE("PLAIN  AGEAYg=="), false, SLICE(""), false, SLICE("")},
        {SLICE("PLAIN AGEAYg== "), false, SLICE(""), false, SLICE("")},
        {SLICE("PLAIN a b"), false, SLICE(""), false, SLICE("")},
        {SLICE("\"PLAIN\" a"), false, SLICE(""), false, SLICE("")},
        {SLICE("PLAIN {3+}\r\nabc"), false, SLICE(""), false, SLICE("")},
        {SLICE("PLAIN ab\0c"), false, SLICE(""), false, SLICE("")},
        {SLICE("PLAIN\0 ab"), false, SLICE(""), false, SLICE("")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct command_authenticate a;
        bool good = command_authenticate(rows[i].args, &a);
        cr_expect_eq(good, rows[i].good, "row %zu", i);
        if (!good)
            continue;
        cr_expect(slice_eq(a.mechanism, rows[i].mechanism), "row %zu", i);
        cr_expect_eq(a.has_initial, rows[i].has_initial, "row %zu", i);
        cr_expect(slice_eq(a.initial, rows[i].initial), "row %zu", i);
    }
}

static void note_field(void *ctx, struct slice key, struct slice value)
{
    struct str *log = ctx;

    str_add(log, key);
    str_add(log, value.ptr == NULL ? SLICE("!") : SLICE("="));
    str_add(log, value);
    str_addc(log, ';');
}

Test(command, t41_id)
{
    const struct {
        struct slice args;
        bool good;
        const char *fields;
    } rows[] = {
        {SLICE("NIL"), true, ""},
        {SLICE("nil"), true, ""},
        {SLICE("()"), true, ""},
        {SLICE("(\"name\" \"x\")"), true, "name=x;"},
        {SLICE("(\"name\" NIL \"os\" nil)"), true, "name!;os!;"},
        {SLICE("(\"a\\\"b\" \"c\\\\d\")"), true, "a\"b=c\\d;"},
        {SLICE("({1+}\r\na {2}\r\nb) \"c\" \"\")"), true, "a=b);c=;"},
        {SLICE(""), false, ""},
        {SLICE("NILL"), false, ""},
        {SLICE("name x"), false, ""},
        {SLICE("("), false, ""},
        {SLICE("(\"a\")"), false, ""},
        {SLICE("(\"a\" \"b\""), false, ""},
        {SLICE("(\"a\" \"b\" )"), false, ""},
        {SLICE("( \"a\" \"b\")"), false, ""},
        {SLICE("(\"a\" \"b\") "), false, ""},
        {SLICE("(\"a\" \"b\") NIL"), false, ""},
        {SLICE("(\"a\" \"b\"\"c\" \"d\")"), false, ""},
        {SLICE("(a \"b\")"), false, ""},
        {SLICE("(\"a\" b)"), false, ""},
        {SLICE("(NIL \"b\")"), false, ""},
        {SLICE("(\"a\" NILX)"), false, ""},
        {SLICE("(\"a\" {3+}\r\nb\r\n)"), false, ""},
        {SLICE("(\"a\" \"b\0\")"), false, ""},
        {SLICE("(\"a\" \"b\" \"c\" d)"), false, ""},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char storage[64];
        struct str log = STR_ON(storage);
        cr_expect_eq(command_id(rows[i].args, note_field, &log), rows[i].good, "row %zu", i);
        cr_expect_str_eq(log.data, rows[i].fields, "row %zu", i);
        cr_expect_eq(command_id(rows[i].args, NULL, NULL), rows[i].good, "row %zu", i);
    }
}

/* An ID list of `pairs` pairs whose keys and values have the given lengths. */
static bool id_of(unsigned pairs, size_t key, size_t value)
{
    static char storage[64 * 1024], text[2048];
    struct str args = STR_ON(storage);

    memset(text, 'k', sizeof text);
    str_addc(&args, '(');
    for (unsigned i = 0; i < pairs; i++) {
        str_add(&args, i > 0 ? SLICE(" \"") : SLICE("\""));
        str_add(&args, slice_of(text, key));
        str_add(&args, SLICE("\" \""));
        str_add(&args, slice_of(text, value));
        str_addc(&args, '"');
    }
    str_addc(&args, ')');
    cr_assert_not(args.overflow);
    return command_id(str_slice(&args), NULL, NULL);
}

Test(command, t41_id_limits)
{
    cr_expect(id_of(LIMIT_ID_FIELDS, LIMIT_ID_KEY, LIMIT_ID_VALUE));
    cr_expect_not(id_of(LIMIT_ID_FIELDS + 1, 1, 1));
    cr_expect_not(id_of(1, LIMIT_ID_KEY + 1, 1));
    cr_expect_not(id_of(1, 1, LIMIT_ID_VALUE + 1));
}
