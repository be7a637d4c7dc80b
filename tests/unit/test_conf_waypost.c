/*
 * Findings about waypost.json: each with its pointer, what was expected, and a suggestion.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/conf_expect.h"

TestSuite(conf_waypost);

/* A waypost.json with `more` among its members. */
static const char *with(const char *more)
{
    static char out[4096];
    snprintf(out, sizeof(out),
             "{%s,\n\"listeners\": [{\"name\": \"imaps\", \"address\": \"[::]:993\", "
             "\"tls\": \"implicit\"}],\n"
             "\"tls\": {\"certificates\": [{\"chain\": \"c\", \"key\": \"k\"}]}}",
             more);
    return out;
}

static const char *verbatim(const char *text)
{
    return text;
}

Test(conf_waypost, findings_of_waypost_json)
{
    static const struct conf_text_row rows[] = {
        {"\"workers\": 1024", ""},
        {"\"workers\": 1025",
         "waypost.json:1 /workers expected a whole number from 0 to 1024, found 1025"},
        {"\"workers\": -1", "/workers expected a whole number"},
        {"\"workers\": 1.5", "found 1.5"},
        {"\"workers\": \"4\"", "found \"4\""},
        {"\"workers\": null", "found null"},
        {"\"workers\": []", "found a list"},
        {"\"user\": \"\"", "/user expected a string of 1 to 64 characters, found \"\""},
        {"\"hostname\": \"a b\"", "/hostname expected a host name"},
        {"\"watch\": true", ""},
        {"\"watch\": 1", "/watch expected true or false"},
        {"\"wrokers\": 1", "/wrokers unknown key; did you mean \"workers\"?"},
        {"\"zzz\": 1", "/zzz unknown key\n"},
        {"\"a/b~\": 1", "/a~1b~0 unknown key\n"},
        {"\"auth\": {\"mechanisms\": []}", "/auth/mechanisms expected a list, not empty"},
        {"\"auth\": {\"mechanisms\": [\"plian\"]}", "did you mean \"PLAIN\"?"},
        {"\"auth\": {\"mechanisms\": [1]}", "/auth/mechanisms/0 expected a string"},
        {"\"auth\": {\"penalty\": {\"first\": \"20s\"}}", "/auth/penalty \"first\" is longer"},
        {"\"auth\": 1", "/auth expected an object, found 1"},
        {"\"capabilities\": \"auto\"", ""},
        {"\"capabilities\": \"none\"", "/capabilities expected \"auto\""},
        {"\"capabilities\": []", "/capabilities expected \"auto\""},
        {"\"capabilities\": [\"STARTTLS\"]",
         "/capabilities/0 \"STARTTLS\" is announced by Waypost"},
        {"\"capabilities\": [\"imap4REV2\"]", ""},
        {"\"capabilities\": [\"ID\"]", "/capabilities RFC 9051 section 6.1.1 wants"},
        {"\"limits\": {\"line\": \"8KiB\"}", ""},
        {"\"limits\": {\"unauthenticated\": 0, \"sessions_per_user\": 0}", ""},
        {"\"limits\": {\"sessions_per_adress\": 9}", "did you mean \"sessions_per_address\"?"},
        {"\"limits\": {\"trusted\": [\"10.0.0.1/8\"]}", "/limits/trusted/0"},
        {"\"limits\": {\"trusted\": []}", ""},
        {"\"placement\": {\"settle\": \"5s\", \"hold\": \"5s\"}",
         "/placement/hold a user who has just moved could not log in"},
        {"\"placement\": {\"settle\": \"29s\"}", ""},
        {"\"limits\": {\"line\": \"8kb\"}", "/limits/line expected a number of bytes"},
        {"\"limits\": {\"line\": 16384, \"sasl_line\": \"79KiB\"}", "\"sasl_line\" and \"line\""},
        {"\"limits\": {\"line\": 16384, \"literal\": 16384}", "four times \"literal\""},
        {"\"timeouts\": {\"login\": \"soon\"}", "/timeouts/login expected a duration"},
        {"\"timeouts\": {\"login\": \"0s\"}", "from 100ms to 1h"},
        {"\"timeouts\": {\"idle\": \"29m\"}", "/timeouts/idle"},
        {"\"timeouts\": {\"idle\": \"30m\"}", ""},
        {"\"log\": {\"level\": \"warning\"}", "/log/level expected one of"},
        {"\"log\": {\"level\": \"ERROR\"}", "did you mean \"error\"?"},
        {"\"log\": {\"to\": \"syslog\"}", ""},
        {"\"keepalive\": {\"client\": 120}", "found 120"},
        {"\"probe\": {\"interval\": \"25h\"}", "24h"},
        {"\"control\": {}", "/control \"socket\" is missing"},
        {"\"control\": {\"socket\": \"c.sock\", \"group\": \"mail\"}", ""},
        {"\"control\": {\"socket\": \"\"}", "/control/socket expected the path of a socket"},
        {"\"control\": {\"path\": \"c\"}", "/control/path unknown key"},
    };
    conf_text_expect(rows, COUNT_OF(rows), with, false);
}

Test(conf_waypost, path_of_the_control_socket)
{
    char path[128], json[256];
    struct conf_text_row row = {json, ""};

    memset(path, 's', sizeof(path));
    snprintf(json, sizeof(json), "\"control\": {\"socket\": \"%.*s\"}", 107, path);
    conf_text_expect(&row, 1, with, false);
    row.finding = "/control/socket the path of a socket has at most 107 bytes, this one has 108";
    snprintf(json, sizeof(json), "\"control\": {\"socket\": \"%.*s\"}", 108, path);
    conf_text_expect(&row, 1, with, false);
}

Test(conf_waypost, findings_about_listeners_and_tls)
{
    static const char tls[] = "\"tls\": {\"certificates\": [{\"chain\": \"c\", \"key\": \"k\"}]}}";
    static const struct conf_text_row rows[] = {
        {"{}", "\"listeners\" is missing"},
        {"{}", "\"tls\" is missing"},
        {"[]", "expected an object"},
        {"{\"listeners\": []}", "/listeners expected a list of 1 to"},
        {"{\"listeners\": [{\"name\": \"a\"}]}", "/listeners/0 \"address\" is missing"},
        {"{\"listeners\": [{\"tls\": \"none\"}]}",
         "/listeners/0/tls expected one of \"implicit\", \"starttls\""},
        {"{\"listeners\": [{\"address\": \"*:993\"}]}",
         "/listeners/0/address expected an IP address"},
        {"{\"listeners\": [{\"address\": \"localhost:993\"}]}", "/listeners/0/address"},
        {"{\"listeners\": [{\"proxy_protocol\": {}}]}", "proxy_protocol \"from\" is missing"},
        {"{\"tls\": {\"certificates\": []}}", "/tls/certificates expected a list of 1"},
        {"{\"tls\": {\"certificates\": [{\"chain\": \"c\"}]}}",
         "/tls/certificates/0 \"key\" is missing"},
        {"{\"tls\": {\"client_auth\": \"require\"}}",
         "/tls/client_auth client certificates cannot"},
        {"{\"tls\": {\"min_version\": 1.2}}",
         "/tls/min_version expected one of \"1.2\", \"1.3\", found 1.2"},
        {"{\"tls\": {\"min_version\": \"1.1\"}}", "/tls/min_version"},
    };
    char twice[1024];

    conf_text_expect(rows, COUNT_OF(rows), verbatim, false);
    snprintf(twice, sizeof(twice),
             "{\"listeners\": [\n{\"name\": \"a\", \"address\": \"[::1]:993\", \"tls\": "
             "\"implicit\"},\n{\"name\": \"a\", \"address\": \"[0:0::1]:993\", \"tls\": "
             "\"implicit\"}],\n%s",
             tls);
    cr_expect_str_eq(conf_text_findings(twice, conf_text_routes),
                     "waypost.json:3 /listeners/1/name listener 0 has the same name\n"
                     "waypost.json:3 /listeners/1/address listener 0 has the same address\n");
}
