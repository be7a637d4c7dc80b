/*
 * Loading both documents: defaults, every key, files, and JSON itself.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/conf_expect.h"
#include "waypost/base/limits.h"

TestSuite(conf);

static struct conf_errors errors;

static struct conf *load(const char *waypost, const char *routes)
{
    struct conf *conf = NULL;

    conf_errors_clear(&errors);
    if (!conf_text_load(waypost, routes, NULL, &conf, &errors))
        cr_expect_null(conf);
    cr_expect_eq(conf == NULL, errors.count > 0);
    return conf;
}

static const char *verbatim(const char *text)
{
    return text;
}

Test(conf, a_smallest_configuration_has_the_documented_defaults)
{
    struct conf *c = load(conf_text_waypost, conf_text_routes);

    cr_assert_not_null(c);
    cr_expect_str_eq(c->path, "waypost.json");
    cr_expect_str_eq(c->routing_table, "routes.json");
    cr_expect_eq(c->workers, 0);
    cr_expect_not(c->watch);
    cr_expect_null(c->user);
    cr_expect_null(c->group);
    cr_expect_not_null(c->hostname);
    cr_expect_eq(c->tls.min_version, CONF_TLS_1_2);
    cr_expect_null(c->tls.ciphers);
    cr_expect_not(c->tls.refuse_unknown_sni);
    cr_expect_eq(c->tls.client_auth, CONF_CLIENT_AUTH_NONE);
    cr_expect(c->auth.mechanisms[CONF_MECH_PLAIN] && c->auth.mechanisms[CONF_MECH_LOGIN]);
    cr_expect_eq(c->auth.attempts_per_connection, 3);
    cr_expect_eq(c->auth.penalty_first, 2000);
    cr_expect_eq(c->auth.penalty_max, 15000);
    cr_expect_null(c->capabilities);
    cr_expect_eq(c->limits.sessions, 10000);
    cr_expect_eq(c->limits.unauthenticated, 2000);
    cr_expect_eq(c->limits.unauthenticated_per_address, 500);
    cr_expect_eq(c->limits.sessions_per_user, 500);
    cr_expect_eq(c->limits.sessions_per_user_and_address, 0);
    cr_expect_eq(c->limits.sessions_per_address, 0);
    cr_expect_eq(c->limits.logins_per_minute_per_address, 0);
    cr_expect_eq(c->limits.trusted_count, 0);
    cr_expect_eq(c->limits.line, LIMIT_LINE);
    cr_expect_eq(c->limits.sasl_line, LIMIT_SASL_LINE);
    cr_expect_eq(c->limits.literal, LIMIT_LITERAL);
    cr_expect_eq(c->limits.bad_commands, LIMIT_BAD);
    cr_expect_eq(c->timeouts.handshake, 15000);
    cr_expect_eq(c->timeouts.login, 60000);
    cr_expect_eq(c->timeouts.backend_connect, 5000);
    cr_expect_eq(c->timeouts.backend_login, 30000);
    cr_expect_eq(c->timeouts.idle, 35 * 60000);
    cr_expect_eq(c->timeouts.drain, 30000);
    cr_expect_eq(c->keepalive.client, 120000);
    cr_expect_eq(c->keepalive.backend, 120000);
    cr_expect_eq(c->log.format, FORMAT_TEXT);
    cr_expect_eq(c->log.level, LEVEL_INFO);
    cr_expect_str_eq(c->log.to, "stderr");
    cr_expect(c->routes->normalize.lowercase);
    cr_expect_null(c->routes->normalize.default_domain);
    conf_release(&c);
    cr_expect_null(c);
}

Test(conf, everything_given_arrives)
{
    struct conf *c = load(
        "{\"$schema\": \"x\", \"workers\": 2, \"watch\": true, \"user\": \"u\", \"group\": \"g\","
        "\"hostname\": \"mx.example\", \"routing_table\": \"routes.json\","
        "\"listeners\": [{\"name\": \"a\", \"address\": \"127.0.0.1:143\", \"tls\": \"starttls\","
        "  \"proxy_protocol\": {\"from\": [\"10.0.0.0/8\", \"2001:db8::1\"], \"required\": false,"
        "  \"timeout\": \"1s\"}}],"
        "\"tls\": {\"certificates\": [{\"chain\": \"/abs/c\", \"key\": \"k\"}],"
        "  \"min_version\": \"1.3\", \"ciphers\": \"C\", \"ciphersuites\": \"S\","
        "  \"groups\": \"G\", \"unknown_sni\": \"refuse\", \"client_ca\": \"ca\","
        "  \"client_auth\": \"require\", \"ticket_keys\": \"t\"},"
        "\"auth\": {\"mechanisms\": [\"PLAIN\"], \"attempts_per_connection\": 5,"
        "  \"penalty\": {\"first\": \"0s\", \"max\": \"1s\"}},"
        "\"capabilities\": [\"IMAP4rev1\", \"ID\"],"
        "\"limits\": {\"sessions\": 7, \"line\": 1000, \"sasl_line\": \"12KiB\","
        "  \"literal\": \"1KiB\", \"bad_commands\": 9, \"unauthenticated\": 11,"
        "  \"unauthenticated_per_address\": 12, \"sessions_per_user\": 13,"
        "  \"sessions_per_user_and_address\": 14, \"sessions_per_address\": 15,"
        "  \"logins_per_minute_per_address\": 16,"
        "  \"trusted\": [\"192.0.2.0/24\", \"2001:db8::/32\"]},"
        "\"keepalive\": {\"client\": \"0s\"},"
        "\"placement\": {\"linger\": \"1s\", \"settle\": \"3s\", \"hold\": \"9s\"},"
        "\"log\": {\"format\": \"json\", \"level\": \"debug\", \"to\": \"w.log\"}}",
        conf_text_routes);

    cr_assert_not_null(c);
    cr_expect_eq(c->workers, 2);
    cr_expect(c->watch);
    cr_expect_str_eq(c->hostname, "mx.example");
    cr_expect_str_eq(c->listeners[0].host, "127.0.0.1");
    cr_expect_eq(c->listeners[0].port, 143);
    cr_expect_eq(c->listeners[0].tls, CONF_TLS_STARTTLS);
    cr_expect(c->listeners[0].proxy_protocol.enabled);
    cr_expect_not(c->listeners[0].proxy_protocol.required);
    cr_expect_eq(c->listeners[0].proxy_protocol.from_count, 2);
    cr_expect_eq(c->listeners[0].proxy_protocol.from[0].bits, 96 + 8);
    cr_expect_eq(c->listeners[0].proxy_protocol.timeout, 1000);
    cr_expect_str_eq(c->tls.certificates[0].chain, "/abs/c");
    cr_expect_eq(c->tls.min_version, CONF_TLS_1_3);
    cr_expect(c->tls.refuse_unknown_sni);
    cr_expect_eq(c->tls.client_auth, CONF_CLIENT_AUTH_REQUIRE);
    cr_expect(c->auth.mechanisms[CONF_MECH_PLAIN]);
    cr_expect_not(c->auth.mechanisms[CONF_MECH_LOGIN]);
    cr_expect_str_eq(c->capabilities, "IMAP4rev1 ID");
    cr_expect_eq(c->limits.unauthenticated, 11);
    cr_expect_eq(c->limits.unauthenticated_per_address, 12);
    cr_expect_eq(c->limits.sessions_per_user, 13);
    cr_expect_eq(c->limits.sessions_per_user_and_address, 14);
    cr_expect_eq(c->limits.sessions_per_address, 15);
    cr_expect_eq(c->limits.logins_per_minute_per_address, 16);
    cr_expect_eq(c->limits.trusted_count, 2);
    cr_expect_eq(c->limits.trusted[1].bits, 32);
    cr_expect_eq(c->limits.line, 1000);
    cr_expect_eq(c->limits.sasl_line, 12288);
    cr_expect_eq(c->keepalive.client, 0);
    cr_expect_eq(c->placement.linger, 3000, "until he may be elsewhere");
    cr_expect_eq(c->placement.settle, 3000);
    cr_expect_eq(c->placement.hold, 9000);
    cr_expect_eq(c->log.format, FORMAT_JSON);
    cr_expect_eq(c->log.level, LEVEL_DEBUG);
    conf_release(&c);
}

Test(conf, a_backend_is_read_whole)
{
    struct conf *c = load(conf_text_waypost,
                          "{\"routes\": [{\"to\": \"b\"}], \"backends\": {\"b\": {"
                          "\"address\": \"[2001:DB8:0:0::1]:143\", \"tls\": \"starttls\","
                          "\"verify\": {\"name\": \"b.example\", \"ca\": \"ca.pem\","
                          "\"pin_sha256\": [\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]},"
                          "\"client_certificate\": {\"chain\": \"c\", \"key\": \"k\"},"
                          "\"source_addresses\": [\"192.0.2.1\", \"2001:db8::2\"],"
                          "\"hide_capabilities\": [\"NOTIFY\", \"X-*\"]}}}");
    cr_assert_not_null(c);
    const struct conf_backend *b = &c->routes->backends[0];
    cr_expect_str_eq(b->name, "b");
    cr_expect_str_eq(b->host, "2001:db8::1");
    cr_expect_eq(b->port, 143);
    cr_assert_eq(b->source_count, 2);
    cr_expect(addr_is_v4(&b->sources[0]) && !addr_is_v4(&b->sources[1]));
    cr_expect_eq(b->tls, CONF_TLS_STARTTLS);
    cr_expect_str_eq(b->verify_name, "b.example");
    cr_expect_str_eq(b->verify_ca, "ca.pem");
    cr_assert_eq(b->pin_count, 1);
    cr_expect_eq(b->pins[0][0], 0);
    cr_expect_eq(b->pins[0][31], 31);
    cr_expect_str_eq(b->client_chain, "c");
    cr_expect_eq(b->hide_count, 2);
    cr_expect_str_eq(b->hide_capabilities[1], "X-*");
    conf_release(&c);
}

Test(conf, paths_are_relative_to_the_file_that_names_them)
{
    static const char main_text[] =
        "{\"routing_table\": \"sub/routes.json\", \"log\": {\"to\": \"w.log\"},"
        "\"listeners\": [{\"name\": \"a\", \"address\": \"[::]:993\", \"tls\": \"implicit\"}],"
        "\"tls\": {\"certificates\": [{\"chain\": \"c\", \"key\": \"/k\"}]}}";
    static const char routes_text[] =
        "{\"backends\": {\"b\": {\"address\": \"b.example:993\", \"tls\": \"implicit\","
        "\"verify\": {\"ca\": \"ca.pem\"}}}, \"routes\": [{\"users_file\": \"u\"}]}";
    struct conf_text files[] = {{"etc/waypost.json", slice_str(main_text)},
                                {"etc/sub/routes.json", slice_str(routes_text)},
                                {"etc/sub/u", SLICE("alice\tb\n")},
                                {NULL, {0}}};
    struct conf_source source = conf_text_source(files);
    struct conf *c = NULL;

    cr_assert(conf_load_from("etc/waypost.json", &source, &c, &errors));
    cr_expect_str_eq(c->log.to, "etc/w.log");
    cr_expect_str_eq(c->tls.certificates[0].chain, "etc/c");
    cr_expect_str_eq(c->tls.certificates[0].key, "/k");
    cr_expect_str_eq(c->routes->backends[0].verify_ca, "etc/sub/ca.pem");
    conf_release(&c);
}

Test(conf, the_last_reference_frees)
{
    struct conf *c = load(conf_text_waypost, conf_text_routes);
    struct conf *second = conf_hold(c);

    conf_release(&c);
    cr_expect_null(c);
    cr_expect_str_eq(second->path, "waypost.json");
    conf_release(&second);
    conf_release(&second);
}

Test(conf, all_findings_of_both_files_come_at_once_in_the_order_of_lines)
{
    cr_expect_str_eq(
        conf_text_findings("{\"workers\": -1,\n\"x\": 1,\n\"listeners\": [],\n\"tls\": 1}",
                           "{\"backends\": {},\n\"routes\": 1}"),
        "waypost.json:1 /workers expected a whole number from 0 to 1024, found -1\n"
        "waypost.json:2 /x unknown key\n"
        "waypost.json:3 /listeners expected a list of 1 to 1000 elements, found a list\n"
        "waypost.json:4 /tls expected an object, found 1\n"
        "routes.json:1 /backends expected an object with 1 to 65535 named members, "
        "found an object\n"
        "routes.json:2 /routes expected a list of 1 to 100000 elements, found 1\n");
}

Test(conf, files_that_cannot_be_read_are_findings)
{
    struct conf *c = NULL;
    struct conf_text none[] = {{NULL, {0}}};
    struct conf_source source = conf_text_source(none);

    cr_expect_not(conf_load_from("waypost.json", &source, &c, &errors));
    cr_assert_eq(errors.count, 1);
    cr_expect_eq(errors.list[0].line, 0);
    cr_expect_str_eq(errors.list[0].text, "cannot be read: no such file");
    conf_errors_clear(&errors);

    cr_expect_str_eq(
        conf_text_findings("{\"routing_table\": \"r.json\", \"workers\": -1}", conf_text_routes),
        "waypost.json:1 /workers expected a whole number from 0 to 1024, found -1\n"
        "waypost.json:1  \"listeners\" is missing: where clients connect\n"
        "waypost.json:1  \"tls\" is missing: TLS towards clients\n"
        "r.json:0  cannot be read: no such file\n");
}

Test(conf, only_regular_files_are_read_from_disk)
{
    static const char *const paths[] = {".", "/dev/zero", "does/not/exist.json"};
    struct conf *c = NULL;

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        cr_expect_not(conf_load(paths[i], &c, &errors), "%s", paths[i]);
        cr_expect_eq(errors.count, 1, "%s", paths[i]);
        conf_errors_clear(&errors);
    }
}

Test(conf, t90_json_traps)
{
    static const struct conf_text_row rows[] = {
        {"", "waypost.json:1  not JSON:"},
        {"{\n\n,}", "waypost.json:3  not JSON:"},
        {"{} x", "not JSON:"},
        {"{\"a\": \"\xFF\"}", "not JSON:"},
        {"{\"a\": \"\\u0000\"}", "not JSON:"},
        {"{\"a\": NaN}", "not JSON:"},
        {"{\"a\": 99999999999999999999}", "not JSON:"},
        {"\xEF\xBB\xBF{}", "waypost.json:1  the file begins with a byte order mark"},
        {"{\"workers\": 1,\n\"workers\": 2}",
         "waypost.json:2 /workers duplicate key, first seen on line 1"},
        {"{\"workers\": 1,\n\"work\\u0065rs\": 2}", "waypost.json:2 /workers duplicate key"},
        {"{\"workers\": 1e9}", "/workers expected a whole number"},
        {"{\"listeners\": [{\"address\": \"[::]:1e9\"}]}", "/listeners/0/address"},
        {"{\"listeners\": [{\"address\": \"[::]:1000000000\"}]}", "/listeners/0/address"},
        {"{\"listeners\": [{\"address\": 993}]}", "found 993"},
    };
    conf_text_expect(rows, COUNT_OF(rows), verbatim, false);
}

Test(conf, findings_are_printable_and_bounded)
{
    const char *found = conf_text_findings("{\"a\\u001b[31m\\n\": 1}", conf_text_routes);

    cr_expect(strstr(found, "/a?[31m? unknown key") != NULL, "%s", found);

    size_t count = LIMIT_CONF_ERRORS + 5, len = 0;
    char *many = malloc(count * 16 + 16);
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(many + len, 16, "%s\"k%zu\": 1", i == 0 ? "{" : ",\n", i);
    memcpy(many + len, "}", 2);
    cr_expect_null(load(many, conf_text_routes));
    cr_expect_eq(errors.count, LIMIT_CONF_ERRORS + 1);
    cr_expect_str_eq(errors.list[LIMIT_CONF_ERRORS].text, "7 more findings are not shown");
    conf_errors_clear(&errors);
    free(many);
}

/* ----- findings of others ------------------------------------------------------------------- */

Test(conf, findings_made_elsewhere_get_the_line_of_their_pointer)
{
    char storage[256];
    struct str text = STR_ON(storage);

    conf_errors_add(&errors, "config/routes.json", 0, "/routes/1/domains", "is %s", "wrong");
    conf_errors_add(&errors, "config/routes.json", 0, "", "as a whole");
    conf_errors_add(&errors, "no such file", 0, "/x", "lost");
    conf_errors_locate(&errors);
    cr_expect_gt(errors.list[0].line, 10);
    for (size_t i = 0; i < errors.count; i++) {
        errors.list[i].line = errors.list[i].line > 0 ? 18 : 0;
        conf_error_text(&errors.list[i], &text);
        str_addc(&text, '\n');
    }
    cr_expect_str_eq(storage, "config/routes.json:18: /routes/1/domains: is wrong\n"
                              "config/routes.json: as a whole\n"
                              "no such file: /x: lost\n");
    conf_errors_clear(&errors);
}
