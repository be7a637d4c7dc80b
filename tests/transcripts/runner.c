/*
 * Replays transcripts against the pure core: whole, a byte at a time, and split at every position;
 * the same script must give the same output every time. Then again with memory running short. The
 * language is described in tests/transcripts/README.md. Owns the configurations it loads.
 */
#include "transcripts/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the number of input bytes, or SIZE_MAX when the run failed. */
static size_t replay(const struct script *script, const struct conf *conf, size_t piece,
                     size_t split_at, long fail_after)
{
    struct run *run = calloc(1, sizeof(*run));
    size_t fed;

    REQUIRE(run != NULL);
    run->script = script;
    run->conf = conf;
    run->piece = piece;
    run->split_at = split_at;
    run->fail_after = fail_after;
    fed = play(run) ? run->fed : SIZE_MAX;
    free(run);
    return fed;
}

/* Runs with memory ever so short; no transcript takes more blocks than this. */
#define TORTURE 24

static bool replay_all_ways(const struct script *script, const struct conf *conf)
{
    size_t total = replay(script, conf, WHOLE, WHOLE, -1);

    if (total == SIZE_MAX || replay(script, conf, 1, WHOLE, -1) == SIZE_MAX)
        return false;
    for (size_t at = 1; at < total; at++) {
        if (replay(script, conf, WHOLE, at, -1) == SIZE_MAX)
            return false;
    }
    for (long blocks = 0; blocks < TORTURE; blocks++)
        replay(script, conf, WHOLE, WHOLE, blocks);
    return true;
}

/* The folder of a path, with its slash. */
static struct slice folder_of(const char *path)
{
    struct slice folder = slice_str(path);

    while (folder.len > 0 && folder.ptr[folder.len - 1] != '/')
        folder.len--;
    return folder;
}

/* waypost.json stands beside the transcripts. */
static struct conf *load_conf(struct slice folder)
{
    struct conf_errors errors = {.list = NULL};
    struct conf *conf = NULL;
    char storage[4096];
    struct str path = STR_ON(storage);

    str_add(&path, folder);
    str_add(&path, SLICE("waypost.json"));
    if (conf_load(storage, &conf, &errors))
        return conf;
    for (size_t i = 0; i < errors.count; i++)
        fprintf(stderr, "%s:%u: %s: %s\n", errors.list[i].file, errors.list[i].line,
                errors.list[i].pointer, errors.list[i].text);
    exit(2);
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;
    struct slice folder = SLICE("?");
    struct conf *conf = NULL;

    for (int i = 1; i < argc; i++) {
        struct script script;
        if (!slice_eq(folder, folder_of(argv[i]))) {
            folder = folder_of(argv[i]);
            conf_release(&conf);
            conf = load_conf(folder);
        }
        bool good = script_load(&script, argv[i]) && replay_all_ways(&script, conf);
        printf("%s %s\n", good ? "ok    " : "FAILED", argv[i]);
        good ? passed++ : failed++;
        script_free(&script);
    }
    conf_release(&conf);
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
