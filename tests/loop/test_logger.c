/*
 * The log's sink: prefixes, whole lines from many threads, rotation.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "run/logger.h"
#include "waypost/base/limits.h"

#define THREADS 4
#define LINES   500

static char dir[64], file[96], rotated[96];
static struct logger logger;

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/waypost-log-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(file, sizeof(file), "%s/log", dir);
    snprintf(rotated, sizeof(rotated), "%s/log.1", dir);
    cr_assert_eq(logger_open(&logger, file), 0);
}

static void teardown(void)
{
    logger_close(&logger);
    unlink(file);
    unlink(rotated);
    rmdir(dir);
}

TestSuite(logger, .init = setup, .fini = teardown);

static char content[1 << 20];

static const char *read_all(const char *path)
{
    FILE *f = fopen(path, "r");
    size_t len;

    cr_assert_not_null(f);
    len = fread(content, 1, sizeof(content) - 1, f);
    content[len] = '\0';
    fclose(f);
    return content;
}

static bool matches(const char *text, const char *pattern)
{
    regex_t regex;
    bool found;

    cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

Test(logger, puts_time_and_level_in_front)
{
    struct log log = {LEVEL_INFO, FORMAT_TEXT, logger_sink, &logger};

    log_note(&log, LEVEL_WARN, "hello", "key", "a value");
    cr_expect(matches(read_all(file), "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:"
                                      "[0-6][0-9]\\.[0-9]{3}Z warn event=hello key=\"a value\"\n$"),
              "%s", content);
}

Test(logger, completes_json)
{
    struct log log = {LEVEL_INFO, FORMAT_JSON, logger_sink, &logger};

    log_note(&log, LEVEL_ERROR, "hello", "key", "value");
    cr_expect(matches(read_all(file),
                      "^\\{\"time\":\"20[-0-9T:.]+Z\",\"level\":\"error\",\"event\":\"hello\","
                      "\"key\":\"value\"\\}\n$"),
              "%s", content);
}

Test(logger, longest_line_is_whole)
{
    char text[LIMIT_LOG_LINE];

    memset(text, 'x', sizeof(text));
    logger_sink(&logger, LEVEL_INFO, slice_of(text, sizeof(text) - 1));
    read_all(file);
    cr_expect_gt(strlen(content), sizeof(text));
    cr_expect_eq(content[strlen(content) - 1], '\n');
}

static void chatter(void *arg)
{
    struct log log = {LEVEL_INFO, FORMAT_TEXT, logger_sink, &logger};
    const char *name = arg;

    for (unsigned i = 0; i < LINES; i++)
        log_note(&log, LEVEL_INFO, name, "text", "long enough to be torn if anything can tear it");
}

Test(logger, lines_of_threads_do_not_mix)
{
    static char names[THREADS][8] = {"one", "two", "three", "four"};
    uv_thread_t threads[THREADS];
    unsigned lines = 0;

    for (unsigned i = 0; i < THREADS; i++)
        cr_assert_eq(uv_thread_create(&threads[i], chatter, names[i]), 0);
    for (unsigned i = 0; i < 20; i++)
        cr_expect_eq(logger_reopen(&logger, file), 0);
    for (unsigned i = 0; i < THREADS; i++)
        uv_thread_join(&threads[i]);
    read_all(file);
    for (char *line = content, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
        *end = '\0';
        cr_expect(matches(line, "^20[-0-9T:.]+Z info event=[a-z]+ text=\"[a-z ]+\"$"), "%s", line);
    }
    cr_expect_eq(lines, THREADS * LINES);
}

Test(logger, follows_rotation)
{
    struct log log = {LEVEL_INFO, FORMAT_TEXT, logger_sink, &logger};

    log_note(&log, LEVEL_INFO, "first", "key", "value");
    cr_assert_eq(rename(file, rotated), 0);
    log_note(&log, LEVEL_INFO, "second", "key", "value");
    cr_assert_eq(logger_reopen(&logger, file), 0);
    log_note(&log, LEVEL_INFO, "third", "key", "value");
    cr_expect(matches(read_all(rotated), "event=first.*event=second"));
    cr_expect_null(strstr(content, "third"));
    cr_expect(matches(read_all(file), "event=third"));
}

Test(logger, goes_on_where_the_new_place_is_no_good)
{
    struct log log = {LEVEL_INFO, FORMAT_TEXT, logger_sink, &logger};

    cr_expect_eq(logger_reopen(&logger, "/nowhere/at/all"), ENOENT);
    log_note(&log, LEVEL_INFO, "still", "key", "value");
    cr_expect(matches(read_all(file), "event=still"));
}
