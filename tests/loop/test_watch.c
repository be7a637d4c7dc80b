/*
 * Files that change in all the ways in which people and programs change them.
 */
#include "run/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tempdir.h"
#include "waypost/base/limits.h"

static const struct watch_times hasty = {.quiet = 60, .patience = 600, .slow = 3600000, .fast = 50};

static struct tempdir dir;
static uv_loop_t loop;
static struct log quill;
static struct watch watch;
static struct conf_files files;
static char told[PATH_MAX], line[512];
static unsigned times;

static void sink(void *ctx, enum log_level level, struct slice text)
{
    (void)ctx;
    (void)level;
    snprintf(line, sizeof(line), "%.*s", SLICE_ARG(text));
}

static void on_changed(struct watch *w, const char *path)
{
    cr_assert_eq(w, &watch);
    times++;
    snprintf(told, sizeof(told), "%s", path + strlen(dir.path) + 1);
}

static void setup(void)
{
    tempdir_open(&dir);
    cr_assert_eq(uv_loop_init(&loop), 0);
    quill = (struct log){LEVEL_INFO, FORMAT_TEXT, sink, NULL};
    watch_init(&watch, &loop, &quill, on_changed);
    watch.times = &hasty;
}

static void teardown(void)
{
    watch_close(&watch);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0);
    conf_files_clear(&files);
    tempdir_close(&dir);
}

TestSuite(watch, .init = setup, .fini = teardown);

static void add(const char *name)
{
    conf_files_add(&files, tempdir_path(&dir, name));
}

static void use(void)
{
    times = 0;
    told[0] = '\0';
    watch_use(&watch, &files, true);
}

static void use_only(const char *name)
{
    add(name);
    use();
}

static void turn_for(unsigned ms)
{
    uint64_t end = uv_hrtime() + ms * 1000000ull;

    while (uv_hrtime() < end) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static bool tells(const char *name)
{
    for (unsigned i = 0; i < 1000 && times == 0; i++)
        turn_for(10);
    if (strcmp(told, name) != 0)
        fprintf(stderr, "told of \"%s\"\n", told);
    return times == 1 && strcmp(told, name) == 0;
}

/* Nothing is told, even when everything that has happened was heard of. */
static bool sleeps(void)
{
    turn_for(100);
    while (watch.since != 0)
        turn_for(10);
    return times == 0;
}

Test(watch, a_file_is_written)
{
    tempdir_write(&dir, "file", "1");
    use_only("file");
    cr_expect(sleeps());
    tempdir_write(&dir, "file", "22");
    cr_expect(tells("file"));
    tempdir_write(&dir, "file", "333");
    turn_for(200);
    cr_expect_eq(times, 1, "not before somebody has read it");
    use_only("file");
    cr_expect(sleeps());
    tempdir_write(&dir, "file", "4444");
    cr_expect(tells("file"));
}

Test(watch, another_file_takes_its_place)
{
    tempdir_write(&dir, "file", "1");
    use_only("file");
    tempdir_put(&dir, "file", "1");
    cr_expect(tells("file"));
}

Test(watch, what_happens_beside_it_wakes_nobody)
{
    tempdir_write(&dir, "file", "1");
    use_only("file");
    for (unsigned i = 0; i < 20; i++) {
        char text[8];
        snprintf(text, sizeof(text), "%u", i);
        tempdir_write(&dir, "proxy.log", text);
        uv_run(&loop, UV_RUN_NOWAIT);
        cr_expect_eq(watch.since, 0);
    }
    cr_expect(sleeps());
}

Test(watch, a_touch_without_a_change_is_none)
{
    tempdir_write(&dir, "file", "1");
    use_only("file");
    cr_assert_eq(chmod(tempdir_path(&dir, "file"), 0600), 0);
    cr_assert_eq(chmod(tempdir_path(&dir, "file"), 0644), 0);
    for (unsigned i = 0; i < 1000 && watch.since == 0; i++)
        turn_for(1);
    cr_expect_neq(watch.since, 0);
    cr_expect(sleeps());
}

Test(watch, certbot_renews)
{
    tempdir_mkdir(&dir, "live");
    tempdir_mkdir(&dir, "archive");
    tempdir_write(&dir, "archive/chain1.pem", "1");
    tempdir_link(&dir, "../archive/chain1.pem", "live/chain.pem");
    use_only("live/chain.pem");
    tempdir_write(&dir, "archive/chain2.pem", "2");
    cr_expect(sleeps(), "not ours yet");
    tempdir_link(&dir, "../archive/chain2.pem", "live/chain.pem");
    cr_expect(tells("live/chain.pem"));
    use_only("live/chain.pem");
    tempdir_write(&dir, "archive/chain1.pem", "11");
    cr_expect(sleeps(), "not ours any more");
    tempdir_write(&dir, "archive/chain2.pem", "22");
    cr_expect(tells("live/chain.pem"));
}

Test(watch, a_config_map_is_swapped)
{
    tempdir_mkdir(&dir, "..1");
    tempdir_mkdir(&dir, "..2");
    tempdir_write(&dir, "..1/waypost.json", "1");
    tempdir_write(&dir, "..2/waypost.json", "1");
    tempdir_link(&dir, "..1", "..data");
    tempdir_link(&dir, "..data/waypost.json", "waypost.json");
    use_only("waypost.json");
    tempdir_link(&dir, "..2", "..data");
    cr_expect(tells("waypost.json"));
    use_only("waypost.json");
    tempdir_write(&dir, "..2/waypost.json", "22");
    cr_expect(tells("waypost.json"));
}

Test(watch, a_link_that_leads_to_the_same_file_is_followed)
{
    tempdir_mkdir(&dir, "one");
    tempdir_mkdir(&dir, "two");
    tempdir_write(&dir, "one/file", "1");
    cr_assert_eq(chdir(dir.path), 0);
    cr_assert_eq(link("one/file", "two/file"), 0);
    tempdir_link(&dir, "one/file", "link");
    use_only("link");
    tempdir_link(&dir, "two/file", "link");
    for (unsigned i = 0; i < 1000 && watch.since == 0; i++)
        turn_for(1);
    cr_expect(sleeps(), "the same file");
    tempdir_put(&dir, "two/file", "1");
    cr_expect(tells("link"));
    cr_assert_eq(chdir("/"), 0);
}

Test(watch, what_is_missing_appears)
{
    use_only("later");
    cr_expect(sleeps());
    tempdir_write(&dir, "later", "");
    cr_expect(tells("later"));
    use_only("below/it/file");
    tempdir_mkdir(&dir, "below");
    turn_for(150);
    cr_expect_eq(times, 0);
    tempdir_mkdir(&dir, "below/it");
    turn_for(150);
    tempdir_write(&dir, "below/it/file", "1");
    cr_expect(tells("below/it/file"));
}

Test(watch, the_directory_is_exchanged)
{
    tempdir_mkdir(&dir, "conf");
    tempdir_mkdir(&dir, "next");
    tempdir_write(&dir, "conf/file", "1");
    tempdir_write(&dir, "next/file", "1");
    use_only("conf/file");
    tempdir_move(&dir, "conf", "last");
    tempdir_move(&dir, "next", "conf");
    cr_expect(tells("conf/file"));
    use_only("conf/file");
    tempdir_write(&dir, "conf/file", "22");
    cr_expect(tells("conf/file"));
}

Test(watch, what_changed_before_it_was_watched)
{
    tempdir_write(&dir, "file", "1");
    add("file");
    tempdir_write(&dir, "file", "22");
    use();
    cr_expect(tells("file"));
}

Test(watch, while_it_is_written_nobody_reads)
{
    static const struct watch_times patient = {1000, 2000, 3600000, 3600000};
    char text[64] = "";
    unsigned i;

    watch.times = &patient;
    tempdir_write(&dir, "file", text);
    use_only("file");
    for (i = 0; i < 20; i++) {
        text[i] = 'x';
        tempdir_write(&dir, "file", text);
        turn_for(10);
    }
    cr_expect_eq(times, 0);
    cr_expect(tells("file"));
    use_only("file");
    for (i = 0; i < 1000 && times == 0; i++) {
        tempdir_write(&dir, "file", i % 2 == 0 ? "1" : "22");
        turn_for(10);
    }
    cr_expect_eq(times, 1, "but not for ever");
}

Test(watch, several_files_are_told_of_once)
{
    char name[16];

    for (unsigned i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "file%u", i);
        tempdir_write(&dir, name, "1");
        add(name);
    }
    use();
    cr_expect_eq(watch.place_count, 1);
    for (unsigned i = 10; i < 50; i++) {
        snprintf(name, sizeof(name), "file%u", i);
        tempdir_put(&dir, name, "2");
    }
    cr_expect(tells("file10"));
}

Test(watch, turned_off)
{
    tempdir_write(&dir, "file", "1");
    use_only("file");
    add("file");
    watch_use(&watch, &files, false);
    tempdir_write(&dir, "file", "22");
    cr_expect(sleeps());
    cr_expect_not(uv_loop_alive(&loop));
}

Test(watch, without_inotify_it_looks)
{
    struct rlimit limit;

    tempdir_write(&dir, "file", "1");
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 3; /* none is free */
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    use_only("file");
    cr_expect_not_null(strstr(line, "event=watch_polls directory="), "%s", line);
    cr_expect_not_null(strstr(line, "error=\"too many open files\" ms=50"), "%s", line);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(watch.place_count, 0);
    tempdir_write(&dir, "file", "22");
    cr_expect(tells("file"));
    line[0] = '\0';
    use_only("file");
    cr_expect_eq(watch.place_count, 1, "watches again when there is room");
    cr_expect_str_eq(line, "");
}

Test(watch, more_directories_than_are_watched)
{
    char name[32];

    for (unsigned i = 0; i <= LIMIT_WATCHES; i++) {
        snprintf(name, sizeof(name), "d%u", i);
        tempdir_mkdir(&dir, name);
        snprintf(name, sizeof(name), "d%u/file", i);
        add(name);
    }
    use();
    cr_expect_eq(watch.place_count, LIMIT_WATCHES);
    cr_expect_not_null(strstr(line, "event=watch_polls"), "%s", line);
    tempdir_write(&dir, name, "1");
    cr_expect(tells(name), "by looking");
}
