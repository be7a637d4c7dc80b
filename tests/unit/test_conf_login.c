/*
 * Findings about logging in: mechanisms for clients, how backends are logged in to, and the master
 * user whose password must not leak.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/conf_expect.h"

TestSuite(conf_login);

#define MASTER "\"login\": {\"master\": {\"user\": \"m\", \"password_file\": \"pw\"}}"

/* A waypost.json with these members in "auth", and clients asked for certificates. */
static const char *auth(const char *members)
{
    return conf_text_section("auth", members);
}

/* Loads a routing table beside a file "pw" with this content. */
static bool load_with(const char *routes, struct slice password, struct conf **out,
                      struct conf_errors *errors)
{
    struct conf_text files[] = {{"waypost.json", slice_str(conf_text_waypost)},
                                {"routes.json", slice_str(routes)},
                                {"pw", password},
                                {NULL, {0}}};
    struct conf_source source = conf_text_source(files);

    return conf_load_from("waypost.json", &source, out, errors);
}

Test(conf_login, what_clients_may_use)
{
    static const struct conf_text_row rows[] = {
        {"\"mechanisms\": [\"XOAUTH2\", \"OAUTHBEARER\", \"SCRAM-SHA-1\", \"SCRAM-SHA-256\"]", ""},
        {"\"mechanisms\": [\"XOUATH2\"]", "did you mean \"XOAUTH2\"?"},
        {"\"mechanisms\": [\"SCRAM-SHA-256-PLUS\"]", "/auth/mechanisms/0 expected"},
        {"\"mechanisms\": [\"EXTERNAL\"]",
         "waypost.json:2 /auth/mechanisms \"EXTERNAL\" needs certificates of the clients"},
        {"\"allow_authzid\": true", ""},
        {"\"allow_authzid\": \"yes\"", "/auth/allow_authzid expected true or false"},
        {"\"oauth_claim\": \"https://example.org/claims/mail\"", ""},
        {"\"oauth_claim\": \"\"", "/auth/oauth_claim expected a string"},
        {"\"certificate_name\": [\"cn\"]", ""},
        {"\"certificate_name\": []", "/auth/certificate_name expected a list, not empty"},
        {"\"certificate_name\": [\"dn\"]", "/auth/certificate_name/0 expected one of"},
    };
    conf_text_expect(rows, COUNT_OF(rows), auth, false);
}

Test(conf_login, what_is_left_out_is_off)
{
    struct conf *c = NULL;
    struct conf_errors errors = {0};

    cr_assert(conf_text_load(conf_text_waypost, conf_text_routes, NULL, &c, &errors));
    for (size_t i = 0; i < CONF_MECH_COUNT; i++)
        cr_expect_eq(c->auth.mechanisms[i], i == CONF_MECH_PLAIN || i == CONF_MECH_LOGIN);
    cr_expect_not(c->auth.allow_authzid);
    cr_expect_null(c->auth.oauth_claim);
    cr_expect(c->auth.external_email && c->auth.external_cn);
    const struct conf_backend *b = &c->routes->backends[0];
    cr_expect_eq(b->auth_forward, CONF_FORWARD_SAME);
    cr_expect(b->pipelining);
    cr_expect_not(b->mechanisms_declared);
    cr_expect_not(b->identity_id);
    cr_expect_eq(b->proxy_header, CONF_PROXY_NONE);
    cr_expect_null(b->master_user);
    cr_expect_null(b->master_password.data);
    cr_expect_eq(b->master_separator, '\0');
    conf_release(&c);
}

Test(conf_login, every_mechanism_has_its_own_word)
{
    static const char *const words[] = {"PLAIN",       "LOGIN",       "XOAUTH2",
                                        "OAUTHBEARER", "SCRAM-SHA-1", "SCRAM-SHA-256"};
    char members[128];

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        struct conf *c = NULL;
        struct conf_errors errors = {0};
        snprintf(members, sizeof(members), "\"mechanisms\": [\"%s\"]", words[i]);
        cr_assert(conf_text_load(auth(members), conf_text_backend(members), NULL, &c, &errors));
        cr_expect(c->routes->backends[0].mechanisms_declared);
        for (size_t m = 0; m < CONF_MECH_COUNT; m++) {
            cr_expect_eq(c->auth.mechanisms[m], m == i, "%s", words[i]);
            cr_expect_eq(c->routes->backends[0].mechanisms[m], m == i, "%s", words[i]);
        }
        conf_release(&c);
    }
}

Test(conf_login, everything_given_arrives)
{
    struct conf *c = NULL;
    struct conf_errors errors = {0};
    const char *text =
        conf_text_backend("\"auth_forward\": \"oauthbearer\", \"pipelining\": false,"
                          "\"identity\": [\"proxy-v2\", \"id\"], \"login\": {\"master\": {"
                          "\"user\": \"master\", \"password_file\": \"pw\","
                          "\"separator\": \"*\"}}");

    cr_assert(load_with(text, SLICE("s3cret pass\n"), &c, &errors));
    const struct conf_backend *b = &c->routes->backends[0];
    cr_expect_eq(b->auth_forward, CONF_FORWARD_OAUTHBEARER);
    cr_expect_not(b->pipelining);
    cr_expect(b->identity_id);
    cr_expect_eq(b->proxy_header, CONF_PROXY_V2);
    cr_expect_str_eq(b->master_user, "master");
    cr_expect(slice_eq(secret_reveal(&b->master_password), SLICE("s3cret pass")));
    cr_expect_eq(b->master_separator, '*');
    conf_release(&c);
}

Test(conf_login, findings_about_backends)
{
    static const struct conf_text_row rows[] = {
        {"\"auth_forward\": \"xouath2\"", "did you mean \"xoauth2\"?"},
        {"\"mechanisms\": []", "/backends/b/mechanisms expected a list, not empty"},
        {"\"mechanisms\": [\"EXTERNAL\"]", "/backends/b/mechanisms/0 expected one of"},
        {"\"mechanisms\": [\"PLAIN\"], \"auth_forward\": \"plain\"", ""},
        {"\"mechanisms\": [\"PLAIN\"], \"auth_forward\": \"login\"", ""},
        {"\"mechanisms\": [\"LOGIN\"], \"auth_forward\": \"plain\"",
         "/backends/b/auth_forward this mechanism is not among"},
        {"\"mechanisms\": [\"XOAUTH2\"], \"auth_forward\": \"oauthbearer\"",
         "/backends/b/auth_forward this mechanism is not among"},
        {"\"identity\": []", ""},
        {"\"identity\": [\"id\", \"proxy-v1\"]", ""},
        {"\"identity\": [\"proxy-v1\", \"proxy-v2\"]",
         "routes.json:2 /backends/b/identity a connection begins with one PROXY header"},
        {"\"identity\": [\"proxy\"]", "/backends/b/identity/0 expected one of"},
        {"\"identity\": \"id\"", "/backends/b/identity expected a list of \"id\""},
        {"\"login\": \"forward\"", ""},
        {"\"login\": \"master\"", "/backends/b/login expected \"forward\", or {"},
        {"\"login\": {}", "/backends/b/login \"master\" is missing"},
        {"\"login\": {\"master\": {}}", "/backends/b/login/master \"user\" is missing"},
        {"\"login\": {\"master\": {\"user\": \"m\"}}",
         "/backends/b/login/master \"password_file\" is missing"},
        {MASTER, "/backends/b/login/master/password_file cannot read pw: no such file"},
        {"\"login\": {\"master\": {\"user\": \"\"}}",
         "/backends/b/login/master/user expected a user name"},
        {"\"login\": {\"master\": {\"user\": \"a\\nb\"}}",
         "/backends/b/login/master/user expected a user name"},
        {"\"login\": {\"master\": {\"password\": \"x\"}}",
         "/backends/b/login/master/password unknown key"},
        {"\"login\": {\"master\": {\"separator\": \"**\"}}", "/separator expected one ASCII"},
        {"\"login\": {\"master\": {\"separator\": \"\"}}", "/separator expected one ASCII"},
        {"\"login\": {\"master\": {\"separator\": \"a\"}}", "/separator expected one ASCII"},
        {"\"login\": {\"master\": {\"separator\": \"@\"}}", "/separator expected one ASCII"},
        {"\"login\": {\"master\": {\"separator\": \"\\u00a7\"}}", "/separator expected one ASCII"},
        {"\"login\": {\"master\": {\"user\": \"a*b\", \"separator\": \"*\"}}",
         "/backends/b/login/master/user the separator \"*\" stands in the name itself"},
        {MASTER ", \"auth_forward\": \"login\"",
         "/backends/b/auth_forward a master user without \"separator\" needs PLAIN"},
        {MASTER ", \"mechanisms\": [\"LOGIN\"]",
         "/backends/b/login a master user without \"separator\" needs PLAIN"},
    };
    conf_text_expect(rows, COUNT_OF(rows), conf_text_backend, true);
}

Test(conf_login, a_password_file_holds_one_line)
{
    const struct {
        struct slice content;
        const char *password; /* NULL: refused */
    } rows[] = {
        {SLICE("hunter2"), "hunter2"},
        {SLICE("hunter2\n"), "hunter2"},
        {SLICE("hunter2\r\n"), "hunter2"},
        {SLICE(" hunter2 \n"), " hunter2 "},
        {SLICE("hunter2\n\n"), NULL},
        {SLICE("hunter2\nhunter3\n"), NULL},
        {SLICE("hunter2\r"), NULL},
        {SLICE("hunter2\rx\n"), NULL},
        {SLICE("hunter2\0\n"), NULL},
        {SLICE(""), NULL},
        {SLICE("\n"), NULL},
        {SLICE("\r\n"), NULL},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf *c = NULL;
        struct conf_errors errors = {0};
        bool loaded = load_with(conf_text_backend(MASTER), rows[i].content, &c, &errors);
        cr_expect_eq(loaded, rows[i].password != NULL, "row %zu", i);
        if (loaded) {
            cr_expect(slice_eq(secret_reveal(&c->routes->backends[0].master_password),
                               slice_str(rows[i].password)),
                      "row %zu", i);
        } else {
            cr_expect_eq(errors.count, 1);
            cr_expect_str_eq(errors.list[0].text, "expected a password on the only line of pw");
        }
        conf_release(&c);
        conf_errors_clear(&errors);
    }
}

Test(conf_login, certificates_alone_need_a_master)
{
    static const char main_text[] =
        "{\"listeners\": [{\"name\": \"l\", \"address\": \"[::]:993\", \"tls\": \"implicit\"}],"
        "\"auth\": {\"mechanisms\": [\"EXTERNAL\"]},"
        "\"tls\": {\"certificates\": [{\"chain\": \"c\", \"key\": \"k\"}],"
        "\"client_auth\": \"request\", \"client_ca\": \"ca\"}}";
    struct conf_text files[] = {{"waypost.json", slice_str(main_text)},
                                {"routes.json", slice_str(conf_text_backend(MASTER))},
                                {"pw", SLICE("x")},
                                {NULL, {0}}};
    struct conf_source source = conf_text_source(files);
    struct conf *c = NULL;
    struct conf_errors errors = {0};

    cr_assert(conf_load_from("waypost.json", &source, &c, &errors));
    cr_expect(c->auth.mechanisms[CONF_MECH_EXTERNAL]);
    conf_release(&c);
    cr_expect_str_eq(conf_text_findings(main_text, conf_text_routes),
                     "routes.json:1 /backends clients may log in by certificate (EXTERNAL), but no "
                     "backend has a \"login\" with a master user to do it for them\n");
}
