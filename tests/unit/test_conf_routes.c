/*
 * Findings about routes.json: backends, rules, and the traps of the transport.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/conf_expect.h"

TestSuite(conf_routes);

static const char *backend(const char *members)
{
    static char out[4096];
    snprintf(out, sizeof(out), "{\"backends\":\n{\"b\": {%s}},\n\"routes\": [{\"to\": \"b\"}]}",
             members);
    return out;
}

static const char *rules(const char *list)
{
    static char out[4096];
    snprintf(out, sizeof(out),
             "{\"backends\": {\"east\": {\"address\": \"e.example:993\", \"tls\": \"implicit\"},\n"
             "\"west\": {\"address\": \"w.example:993\", \"tls\": \"implicit\"}},\n"
             "\"routes\": [\n%s]}",
             list);
    return out;
}

static const char *listening(const char *address)
{
    static char out[1024];
    snprintf(out, sizeof(out),
             "{\"hostname\": \"Proxy.example\", \"listeners\": [{\"name\": \"l\", \"address\": "
             "\"%s\", \"tls\": \"implicit\"}],"
             "\"tls\": {\"certificates\": [{\"chain\": \"c\", \"key\": \"k\"}]}}",
             address);
    return out;
}

Test(conf_routes, findings_about_backends)
{
    static const struct conf_text_row rows[] = {
        {"\"address\": \"b.example:993\"", "routes.json:2 /backends/b \"tls\" is missing"},
        {"\"tls\": \"implicit\"", "/backends/b \"address\" is missing"},
        {"\"address\": \"b.example\", \"tls\": \"implicit\"",
         "/backends/b/address expected a host and a port"},
        {"\"address\": \"b.example:993\", \"tls\": \"tls\"", "/backends/b/tls expected one of"},
        {"\"address\": \"127.0.0.1:143\", \"tls\": \"none\"", ""},
        {"\"address\": \"localhost:143\", \"tls\": \"none\"", ""},
        {"\"address\": \"[::1]:143\", \"tls\": \"none\"", ""},
        {"\"address\": \"10.0.0.1:143\", \"tls\": \"none\"",
         "passwords would cross the network in clear"},
        {"\"address\": \"10.0.0.1:143\", \"tls\": \"none\", \"allow_plaintext\": false",
         "in clear"},
        {"\"address\": \"b.example:143\", \"tls\": \"none\", \"allow_plaintext\": true", ""},
        {"\"address\": \"localhost:143\", \"tls\": \"none\", \"verify\": {\"name\": \"a.b\"}",
         "/backends/b/verify has no meaning"},
        {"\"address\": \"b.example:993\", \"tls\": \"implicit\", \"verify\": {\"pin_sha256\": "
         "[\"x\"]}",
         "/backends/b/verify/pin_sha256/0 expected the SHA-256"},
        {"\"address\": \"b.example:993\", \"tls\": \"implicit\", \"client_certificate\": "
         "{\"chain\": \"c\"}",
         "\"key\" is missing"},
        {"\"address\": \"b.example:993\", \"tls\": \"implicit\", \"hide_capabilities\": [\"A B\"]",
         "/hide_capabilities/0 expected a capability"},
        {"\"address\": \"b.example:993\", \"tls\": \"implicit\", \"source_addresses\": []",
         "/source_addresses expected a list of 1 to 64"},
        {"\"address\": \"b.example:993\", \"tls\": \"implicit\", \"source_addresses\": "
         "[\"192.0.2.0/24\"]",
         "/source_addresses/0 expected an IP address"},
        {"\"address\": \"127.0.0.1:143\", \"tls\": \"none\", \"source_addresses\": [\"::1\"]",
         "/source_addresses no IPv4 address to connect to \"127.0.0.1\" from"},
        {"\"address\": \"[::1]:143\", \"tls\": \"none\", \"source_addresses\": "
         "[\"127.0.0.1\", \"::1\"]",
         ""},
        {"\"address\": \"localhost:143\", \"tls\": \"none\", \"source_addresses\": [\"::1\"]", ""},
    };
    conf_text_expect(rows, COUNT_OF(rows), backend, true);
}

Test(conf_routes, t09_an_address_needs_a_name_to_verify)
{
    static const struct conf_text_row rows[] = {
        {"\"address\": \"192.0.2.1:993\", \"tls\": \"implicit\"",
         "/backends/b/address an address says nothing"},
        {"\"address\": \"127.0.0.1:143\", \"tls\": \"starttls\"",
         "/backends/b/address an address says nothing"},
        {"\"address\": \"192.0.2.1:993\", \"tls\": \"implicit\", \"verify\": {\"ca\": \"c\"}",
         "an address says nothing"},
        {"\"address\": \"192.0.2.1:993\", \"tls\": \"implicit\", \"verify\": {\"name\": "
         "\"192.0.2.1\"}",
         "/backends/b/verify/name expected a host name"},
        {"\"address\": \"192.0.2.1:993\", \"tls\": \"implicit\", \"verify\": {\"name\": "
         "\"*.example.net\"}",
         "/backends/b/verify/name expected a host name"},
        {"\"address\": \"192.0.2.1:993\", \"tls\": \"implicit\", \"verify\": {\"name\": "
         "\"b.example\"}",
         ""},
    };
    conf_text_expect(rows, COUNT_OF(rows), backend, true);

    struct conf *c = NULL;
    struct conf_errors errors = {0};
    cr_assert(conf_text_load(conf_text_waypost, conf_text_routes, NULL, &c, &errors));
    cr_expect_str_eq(c->routes->backends[0].verify_name, "b.example.net");
    conf_release(&c);
}

Test(conf_routes, t54_a_backend_that_is_the_proxy_itself_is_refused)
{
    static const struct {
        const char *ours, *theirs;
        bool loop;
    } rows[] = {
        {"[::]:993", "127.0.0.1:993", true},
        {"[::]:993", "[::1]:993", true},
        {"[::]:993", "localhost:993", true},
        {"[::]:993", "0.0.0.0:993", true},
        {"[::]:993", "127.0.0.1:1993", false},
        {"[::]:993", "192.0.2.1:993", false},
        {"[::]:993", "proxy.example:993", true},
        {"[::]:993", "other.example:993", false},
        {"0.0.0.0:993", "127.0.0.1:993", true},
        {"0.0.0.0:993", "[::1]:993", false},
        {"192.0.2.1:993", "192.0.2.1:993", true},
        {"192.0.2.1:993", "127.0.0.1:993", false},
        {"192.0.2.1:993", "localhost:993", false},
        {"[2001:db8::1]:993", "[2001:db8:0::1]:993", true},
        {"127.0.0.1:993", "localhost:993", true},
    };
    char members[256];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(
            members, sizeof(members),
            "\"address\": \"%s\", \"tls\": \"implicit\", \"verify\": {\"name\": \"x.example\"}",
            rows[i].theirs);
        const char *found = conf_text_findings(listening(rows[i].ours), backend(members));
        bool loop = strstr(found, "/backends/b/address this is the proxy itself: listener \"l\"");
        cr_expect_eq(loop, rows[i].loop, "%s -> %s: %s", rows[i].ours, rows[i].theirs, found);
        cr_expect_eq(found[0] != '\0', rows[i].loop, "%s", found);
    }
}

Test(conf_routes, findings_about_rules)
{
    static const struct conf_text_row rows[] = {
        {"{\"to\": \"esat\"}",
         "routes.json:4 /routes/0/to there is no backend or pool \"esat\"; did you mean \"east\"?"},
        {"{\"to\": \"\"}", "there is no backend or pool \"\""},
        {"{\"to\": 1}", "/routes/0/to expected the name of a backend or pool, found 1"},
        {"{}", "/routes/0 expected exactly one of \"users\", \"users_file\", \"domains\", \"to\", "
               "\"deny\", found 0"},
        {"{\"to\": \"east\", \"deny\": true}", "found 2 of them"},
        {"{\"deny\": false}", "/routes/0/deny expected true"},
        {"{\"deny\": true, \"login_as\": \"x\"}",
         "/routes/0/login_as has a meaning only beside \"to\""},
        {"{\"to\": \"east\", \"login_as\": \"{local}@x\"}", ""},
        {"{\"to\": \"east\", \"login_as\": \"{locla}\"}",
         "/routes/0/login_as expected a login name"},
        {"{\"to\": \"east\", \"login_as\": \"\"}", "/routes/0/login_as expected a login name"},
        {"{\"users\": {\"a\": \"west\", \"A\": \"east\"}}",
         "/routes/0/users/A the same user stands in this rule twice, as \"a\""},
        {"{\"users\": {\"\": \"west\"}}", "/routes/0/users/ expected a user name"},
        {"{\"users\": {\"a\": {\"login_as\": \"x\"}}}", "/routes/0/users/a \"to\" is missing"},
        {"{\"users\": {\"a\": {\"to\": \"west\", \"as\": \"x\"}}}",
         "/routes/0/users/a/as unknown key"},
        {"{\"users\": {\"a\": []}}",
         "/routes/0/users/a expected the name of a backend or pool, or {"},
        {"{\"users\": []}", "/routes/0/users expected an object"},
        {"{\"users\": {}}", ""},
        {"{\"users_file\": \"none.tsv\"}",
         "/routes/0/users_file cannot read none.tsv: no such file"},
        {"{\"users_file\": \"\"}", "/routes/0/users_file expected the path"},
        {"{\"domains\": {}}", "/routes/0/domains expected"},
        {"{\"domains\": {\"*\": \"east\"}}", "/routes/0/domains/* expected a domain"},
        {"{\"domains\": {\"a@b\": \"east\"}}", "/routes/0/domains/a@b expected a domain"},
        {"{\"domains\": {\"a.b\": \"east\", \"A.B\": \"west\"}}",
         "/routes/0/domains/A.B the same domain"},
        {"{\"domains\": {\"a.b\": \"east\", \"*.a.b\": \"west\"}}", ""},
        {"{\"domains\": {\"a.b\": \"esat\"}}", "/routes/0/domains/a.b there is no backend or pool"},
        {"{\"to\": \"east\"},\n{\"to\": \"west\"}",
         "routes.json:5 /routes/1 this rule is never reached: the one on line 4 takes everybody"},
        {"{\"deny\": true},\n{\"users\": {}}", "/routes/1 this rule is never reached"},
        {"{\"usres\": {\"a\": \"east\"}}", "/routes/0/usres unknown key; did you mean \"users\"?"},
        {"", "/routes expected a list of 1"},
        {"{\"to\": \"east\"}],\n\"normalize\": {\"lowercase\": 1}, \"x\": [",
         "/normalize/lowercase expected true or false"},
        {"{\"to\": \"east\"}],\n\"pool\": {}, \"x\": [",
         "/pool unknown key; did you mean \"pools\"?"},
    };
    conf_text_expect(rows, COUNT_OF(rows), rules, true);
}
