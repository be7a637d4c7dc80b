/*
 * The whole proxy in a child process: start, signals, reload, privileges, exit codes.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/process.h"
#include "support/connbed.h"
#include "support/sockets.h"
#include "waypost/run/supervisor.h"

static struct connbed bed; /* for its CA, its backend and its client context */
static struct peer client, backend;
static int holder;  /* keeps the front port ours without listening there */
static int manager; /* plays the service manager */
static pid_t child;

static char *path(const char *file)
{
    return testca_path(&bed.ca, file);
}

/* Writes waypost.json for bed.front; `extra` as for connbed_open. */
static void write_conf(const char *hostname, const char *key, const char *extra)
{
    char text[4096];

    snprintf(text, sizeof(text),
             "{\"workers\": 2, \"hostname\": \"%s\", \"routing_table\": \"routes.json\","
             " \"listeners\": [{\"name\": \"imaps\", \"address\": \"127.0.0.1:%u\","
             "  \"tls\": \"implicit\"}],"
             " \"tls\": {\"certificates\": [{\"chain\": \"server.pem\", \"key\": \"%s\"}]},"
             " \"log\": {\"to\": \"proxy.log\"}%s%s}",
             hostname, bed.front, key, extra == NULL ? "" : ", ", extra == NULL ? "" : extra);
    testca_write(&bed.ca, "waypost.json", text, strlen(text));
}

static void open_manager(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path("notify"));
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(manager, (struct sockaddr *)&name, sizeof(name)), 0);
}

static void setup(void)
{
    connbed_open(&bed, NULL, "\"tls\": \"none\"");
    testca_issue(&bed.ca, &(struct testca_leaf){.file = "renewed", .names = "proxy.test"});
    holder = tcp_reserve(&bed.front);
    open_manager();
    write_conf("proxy.test", "server.key", NULL);
}

static void teardown(void)
{
    if (child > 0)
        kill(child, SIGKILL);
    close(holder);
    close(manager);
    unlink(path("notify"));
    unlink(path("proxy.log"));
    unlink(path("proxy.log.1"));
    unlink(path("stderr"));
    connbed_close(&bed);
}

TestSuite(supervisor, .init = setup, .fini = teardown);

/* Begins the program anew, because a sanitizer wants no threads behind a fork; see main. */
static void start(void)
{
    char program[] = "waypost", flag[] = "--serve", notify[256];
    char *args[] = {program, flag, path("waypost.json"), NULL}, *env[8] = {notify};

    /* Criterion's own variables would make it a test again. */
    for (size_t i = 0, n = 1; environ[i] != NULL && n + 1 < COUNT_OF(env); i++) {
        if (strstr(environ[i], "SAN_OPTIONS=") != NULL)
            env[n++] = environ[i];
    }
    snprintf(notify, sizeof(notify), "NOTIFY_SOCKET=%s", path("notify"));
    child = fork();
    cr_assert_geq(child, 0);
    if (child > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive a test that fails */
    dup2(open(path("stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    execve("/proc/self/exe", args, env);
    _exit(127);
}

int main(int argc, char *argv[])
{
    struct criterion_test_set *tests;
    int code = 0;

    if (argc == 3 && strcmp(argv[1], "--serve") == 0)
        return supervisor_run(argv[2], NULL);
    tests = criterion_initialize();
    if (criterion_handle_args(argc, argv, true))
        code = !criterion_run_all_tests(tests);
    criterion_finalize(tests);
    return code;
}

static bool file_has(const char *file, const char *text)
{
    static char content[65536];
    FILE *f = fopen(path(file), "r");
    size_t len;

    if (f == NULL)
        return false;
    len = fread(content, 1, sizeof(content) - 1, f);
    fclose(f);
    content[len] = '\0';
    return strstr(content, text) != NULL;
}

static bool comes(const char *file, const char *text)
{
    for (unsigned i = 0; i < 2000; i++) {
        if (file_has(file, text))
            return true;
        usleep(5000);
    }
    fprintf(stderr, "%s never says \"%s\"\n", file, text);
    return false;
}

/* The next message to the service manager begins so. */
static bool notified(const char *text)
{
    char message[256] = "";

    for (unsigned i = 0; i < 2000; i++) {
        if (recv(manager, message, sizeof(message) - 1, 0) > 0)
            return strncmp(message, text, strlen(text)) == 0;
        usleep(5000);
    }
    return false;
}

/* Its exit code, 128 + signal, or -1 when it does not end. */
static int ends(void)
{
    int status;

    for (unsigned i = 0; i < 2000; i++) {
        if (waitpid(child, &status, WNOHANG) == child) {
            child = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        usleep(5000);
    }
    return -1;
}

/* The first connection to the backend is the proxy's own. */
static void be_probed(void)
{
    connbed_accept(&bed, &backend);
    peer_say(&backend, "* OK hi\r\n");
    cr_assert(peer_hears(&backend, "w2 CAPABILITY\r\n"));
    peer_say(&backend, "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\nw2 OK done\r\n");
    cr_assert(peer_hears(&backend, "w4 LOGOUT\r\n"));
    peer_close(&backend);
}

static void greeted_by(const char *hostname)
{
    connbed_connect(&bed, 0, &client);
    cr_assert(peer_secure(&client, bed.ctx, "proxy.test"));
    cr_expect(peer_hears(&client, hostname));
    peer_close(&client);
}

Test(supervisor, starts_serves_and_drains)
{
    char line[128];

    start();
    cr_assert(notified("READY=1"));
    snprintf(line, sizeof(line), "info event=ready listeners=imaps@127.0.0.1:%u workers=2",
             bed.front);
    cr_expect(comes("proxy.log", line));
    be_probed();
    cr_expect(comes("proxy.log", "event=capabilities backend=b1"));
    connbed_log_in(&bed, &client, &backend);
    kill(child, SIGTERM);
    cr_expect(notified("STOPPING=1"));
    cr_expect(peer_hears(&client, "* BYE "));
    cr_expect(peer_hears_end(&client));
    peer_close(&client);
    peer_close(&backend);
    cr_expect_eq(ends(), SUPERVISOR_CLEAN);
    cr_expect(file_has("proxy.log", "reason=shutdown"));
    cr_expect(file_has("proxy.log", "event=stopped"));
    cr_expect_not(file_has("proxy.log", "sesame"));
}

static void hold_in_a_literal(void)
{
    start();
    cr_assert(notified("READY=1"));
    be_probed();
    connbed_log_in(&bed, &client, &backend);
    peer_say(&client, "b FETCH 1 BODY[]\r\n");
    cr_assert(peer_hears(&backend, "FETCH"));
    peer_say(&backend, "* 1 FETCH (BODY[] {100000}\r\nabc");
    cr_assert(peer_hears(&client, "abc"));
    kill(child, SIGTERM);
    cr_assert(notified("STOPPING=1"));
}

Test(supervisor, second_signal_ends_at_once)
{
    hold_in_a_literal();
    usleep(100000);
    cr_expect_eq(waitpid(child, NULL, WNOHANG), 0, "did not wait for the literal");
    kill(child, SIGTERM);
    cr_expect_eq(ends(), SUPERVISOR_CLEAN);
    peer_die(&client);
    peer_close(&backend);
}

Test(supervisor, draining_has_a_limit)
{
    write_conf("proxy.test", "server.key", "\"timeouts\": {\"drain\": \"300ms\"}");
    hold_in_a_literal();
    cr_expect_eq(ends(), SUPERVISOR_CLEAN);
    peer_die(&client);
    peer_close(&backend);
}

Test(supervisor, reload_serves_new_clients_and_reopens_the_log)
{
    start();
    cr_assert(notified("READY=1"));
    greeted_by("proxy.test ready");
    cr_assert_eq(rename(path("proxy.log"), path("proxy.log.1")), 0);
    write_conf("other.test", "server.key", NULL);
    kill(child, SIGHUP);
    cr_expect(notified("RELOADING=1\nMONOTONIC_USEC="));
    cr_expect(notified("READY=1"));
    cr_expect(comes("proxy.log", "event=reloaded"));
    usleep(50000); /* the workers read their mail */
    greeted_by("other.test ready");
    kill(child, SIGINT);
    cr_expect_eq(ends(), SUPERVISOR_CLEAN);
}

Test(supervisor, t18_half_renewed_certificate_leaves_the_old_one_in_force)
{
    start();
    cr_assert(notified("READY=1"));
    write_conf("other.test", "renewed.key", NULL);
    kill(child, SIGHUP);
    cr_expect(comes("proxy.log", "event=reload_failed"));
    cr_expect(file_has("proxy.log", "event=reload_finding"));
    cr_expect(file_has("proxy.log", "pointer=/tls/certificates/0"));
    greeted_by("proxy.test ready");
    kill(child, SIGTERM);
    cr_expect_eq(ends(), SUPERVISOR_CLEAN);
}

Test(supervisor, all_findings_before_the_first_connection)
{
    write_conf("proxy.test", "renewed.key", "\"worker\": 1, \"hostnam\": \"x\"");
    start();
    cr_expect_eq(ends(), SUPERVISOR_CONFIG);
    cr_expect(file_has("stderr", "/worker"));
    cr_expect(file_has("stderr", "/hostnam"));
}

Test(supervisor, port_that_is_taken)
{
    close(holder);
    holder = tcp_listen(1, &bed.front);
    write_conf("proxy.test", "server.key", NULL);
    start();
    cr_expect_eq(ends(), SUPERVISOR_CONFIG);
    cr_expect(file_has("stderr", "waypost.json:1: /listeners/0/address: listener \"imaps\" cannot "
                                 "listen on 127.0.0.1"));
    cr_expect(file_has("stderr", "address already in use"));
}

Test(supervisor, log_that_cannot_be_written)
{
    write_conf("proxy.test", "server.key", NULL);
    cr_assert_eq(mkdir(path("proxy.log"), 0700), 0);
    start();
    cr_expect_eq(ends(), SUPERVISOR_CONFIG);
    cr_expect(file_has("stderr", "cannot log to"));
    rmdir(path("proxy.log"));
}

Test(supervisor, t82_descriptors_are_counted_at_the_start)
{
    write_conf("proxy.test", "server.key", "\"limits\": {\"sessions\": 10000000}");
    start();
    cr_assert(notified("READY=1"));
    cr_expect(file_has("proxy.log", "warn event=sessions_capped sessions="));
    cr_expect(file_has("proxy.log", "wanted=10000000"));
    kill(child, SIGTERM);
    cr_expect_eq(ends(), SUPERVISOR_CLEAN);
}

Test(supervisor, t82_room_is_made_where_the_limit_allows)
{
    struct rlimit limit, now;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(process_raise_descriptors(limit.rlim_max), limit.rlim_max);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &now), 0);
    cr_expect_eq(now.rlim_cur, limit.rlim_max);
    cr_expect_eq(process_raise_descriptors(100), 100);
    /* More than any kernel gives to anybody (fs.nr_open). */
    cr_expect_lt(process_raise_descriptors(1ull << 40), 1ull << 40);
}

Test(supervisor, t79_no_core_dumps)
{
    struct rlimit limit;

    process_harden();
    cr_assert_eq(getrlimit(RLIMIT_CORE, &limit), 0);
    cr_expect_eq(limit.rlim_cur, 0);
    cr_expect_eq(limit.rlim_max, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    cr_expect_eq(prctl(PR_GET_DUMPABLE), 0);
    prctl(PR_SET_DUMPABLE, 1);
#endif
}

Test(supervisor, privileges_are_dropped_for_good)
{
    char line[128], file[64];
    FILE *f;
    unsigned uid = 0;

    if (geteuid() != 0)
        cr_skip_test("only root has privileges to drop");
    cr_assert_eq(chmod(bed.ca.dir, 0755), 0);
    cr_assert_eq(chmod(path("notify"), 0777), 0);
    write_conf("proxy.test", "server.key", "\"user\": \"nobody\"");
    start();
    cr_assert(notified("READY=1"));
    snprintf(file, sizeof(file), "/proc/%d/status", (int)child);
    f = fopen(file, "r");
    cr_assert_not_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "Uid:", 4) == 0)
            uid = (unsigned)strtoul(line + 4, NULL, 10);
        if (strncmp(line, "Groups:", 7) == 0)
            cr_expect_null(strstr(line, " 0 "), "root's group was kept: %s", line);
    }
    fclose(f);
    cr_expect_gt(uid, 0);
    kill(child, SIGTERM);
    cr_expect_eq(ends(), SUPERVISOR_CLEAN);
}

Test(supervisor, user_that_does_not_exist)
{
    write_conf("proxy.test", "server.key", "\"user\": \"no-such-user\"");
    start();
    cr_expect_eq(ends(), SUPERVISOR_CONFIG);
    cr_expect(file_has("stderr", "user \"no-such-user\" does not exist"));
}
