/*
 * How backends are looked at: defaults, what a backend says otherwise, and its account for probes.
 */
#include <criterion/criterion.h>

#include "support/conf_expect.h"

TestSuite(conf_probe);

static const char *general(const char *members)
{
    return conf_text_section("probe", members);
}

static void expect(const struct conf_probe *probe, uint64_t interval, uint64_t timeout,
                   unsigned rise, unsigned fall)
{
    cr_expect_eq(probe->interval, interval);
    cr_expect_eq(probe->timeout, timeout);
    cr_expect_eq(probe->rise, rise);
    cr_expect_eq(probe->fall, fall);
}

static struct conf *load(const char *members, const char *row)
{
    struct conf_errors errors = {0};
    struct conf *c = NULL;

    cr_assert(conf_text_load(general(members), conf_text_backend(row), NULL, &c, &errors));
    return c;
}

Test(conf_probe, what_is_left_out)
{
    struct conf *c = load("", "\"pipelining\": true");
    const struct conf_backend *b = &c->routes->backends[0];

    expect(&c->probe, 60000, 10000, 2, 3);
    expect(&b->probe, 60000, 10000, 2, 3);
    cr_expect_null(b->probe_user);
    cr_expect_null(b->probe_password.data);
    cr_expect_eq(b->max_sessions, 0);
    conf_release(&c);
}

Test(conf_probe, a_backend_takes_over_what_it_leaves_out)
{
    struct conf *c = load("\"interval\": \"30s\", \"timeout\": \"4s\", \"rise\": 5, \"fall\": 6",
                          "\"probe\": {\"interval\": \"0s\", \"fall\": 1}, \"max_sessions\": 7");
    const struct conf_backend *b = &c->routes->backends[0];

    expect(&c->probe, 30000, 4000, 5, 6);
    expect(&b->probe, 0, 4000, 5, 1);
    cr_expect_eq(b->max_sessions, 7);
    conf_release(&c);
    c = load("", "\"probe\": {\"timeout\": \"1m\", \"rise\": 1}");
    expect(&c->routes->backends[0].probe, 60000, 60000, 1, 3);
    conf_release(&c);
}

Test(conf_probe, findings)
{
    static const struct conf_text_row rows[] = {
        {"\"interval\": \"25h\"", "/probe/interval expected a duration"},
        {"\"timeout\": \"0s\"", "/probe/timeout expected a duration such as"},
        {"\"rise\": 0", "/probe/rise expected a whole number from 1 to 1000"},
        {"\"fall\": 0", "/probe/fall expected a whole number from 1 to 1000"},
        {"\"login\": {}", "/probe/login unknown key"},
    };
    conf_text_expect(rows, COUNT_OF(rows), general, false);
}

Test(conf_probe, findings_about_a_backend)
{
    static const struct conf_text_row rows[] = {
        {"\"probe\": {\"interval\": 5}", "/backends/b/probe/interval expected a duration"},
        {"\"probe\": {\"rise\": 1001}", "/backends/b/probe/rise expected"},
        {"\"probe\": {\"login\": {\"user\": \"u\"}}",
         "/backends/b/probe/login \"password_file\" is missing"},
        {"\"probe\": {\"login\": {\"password_file\": \"none\"}}",
         "/backends/b/probe/login \"user\" is missing"},
        {"\"probe\": {\"login\": {\"user\": \"u\", \"password_file\": \"none\"}}",
         "/backends/b/probe/login/password_file cannot read none"},
        {"\"probe\": {\"login\": {\"user\": \"u\", \"password\": \"secret\"}}",
         "/backends/b/probe/login/password unknown key"},
        {"\"max_sessions\": -1", "/backends/b/max_sessions expected a whole number"},
    };
    conf_text_expect(rows, COUNT_OF(rows), conf_text_backend, true);
}

Test(conf_probe, an_account)
{
    struct conf_text files[] = {
        {"waypost.json", slice_str(conf_text_waypost)},
        {"routes.json",
         slice_str(conf_text_backend("\"probe\": {\"login\": {\"user\": \"watch@b.example\", "
                                     "\"password_file\": \"pw\"}}"))},
        {"pw", SLICE("open sesame\n")},
        {NULL, {0}}};
    struct conf_source source = conf_text_source(files);
    struct conf_errors errors = {0};
    struct conf *c = NULL;

    cr_assert(conf_load_from("waypost.json", &source, &c, &errors));
    const struct conf_backend *b = &c->routes->backends[0];
    cr_expect_str_eq(b->probe_user, "watch@b.example");
    cr_expect(slice_eq(secret_reveal(&b->probe_password), SLICE("open sesame")));
    expect(&b->probe, 60000, 10000, 2, 3);
    conf_release(&c);
}
