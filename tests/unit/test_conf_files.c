/*
 * Which files a configuration is made of, and whether they are still what they were.
 */
#include "waypost/conf/files.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/conf_text.h"
#include "support/tempdir.h"

static struct tempdir dir;
static struct conf_files files;

static void setup(void)
{
    tempdir_open(&dir);
}

static void teardown(void)
{
    conf_files_clear(&files);
    tempdir_close(&dir);
}

TestSuite(conf_files, .init = setup, .fini = teardown);

static bool has(const char *path)
{
    for (size_t i = 0; i < files.count; i++) {
        if (strcmp(files.list[i].path, path) == 0)
            return true;
    }
    return false;
}

static bool load(const struct conf_text *texts)
{
    struct conf_source source = conf_text_source(texts);
    struct conf_errors errors = {NULL, 0};
    struct conf *conf;
    bool good;

    source.files = &files;
    good = conf_load_from("etc/waypost.json", &source, &conf, &errors);
    if (good)
        conf_release(&conf);
    conf_errors_clear(&errors);
    return good;
}

Test(conf_files, every_file_that_is_read_and_no_other)
{
    static const char *const paths[] = {
        "etc/waypost.json", "etc/r.json",  "etc/c.pem",     "etc/k.pem",
        "etc/clients.pem",  "etc/tickets", "/etc/b/ca.pem", "etc/b.pem",
        "etc/b.key",        "etc/master",  "etc/users.tsv", "etc/second.tsv",
    };
    const struct conf_text texts[] = {
        {"etc/waypost.json",
         SLICE("{\"listeners\": [{\"name\": \"l\", \"address\": \"[::]:993\", \"tls\": "
               "\"implicit\"}], \"routing_table\": \"r.json\", \"tls\": {\"certificates\": "
               "[{\"chain\": \"c.pem\", \"key\": \"k.pem\"}], \"client_ca\": \"clients.pem\", "
               "\"ticket_keys\": \"tickets\"}, \"log\": {\"to\": \"waypost.log\"}, "
               "\"control\": {\"socket\": \"control.sock\"}}")},
        {"etc/r.json",
         SLICE("{\"backends\": {\"b\": {\"address\": \"b.example:993\", \"tls\": \"implicit\", "
               "\"verify\": {\"ca\": \"/etc/b/ca.pem\"}, \"client_certificate\": {\"chain\": "
               "\"b.pem\", \"key\": \"b.key\"}, \"login\": {\"master\": {\"user\": \"m\", "
               "\"password_file\": \"master\"}}}, \"d\": {\"address\": \"d.example:993\", "
               "\"tls\": \"implicit\", \"verify\": {\"ca\": \"/etc/b/ca.pem\"}}}, "
               "\"routes\": [{\"users_file\": \"users.tsv\"}, {\"users_file\": \"second.tsv\"}]}")},
        {"etc/master", SLICE("secret\n")},
        {"etc/users.tsv", SLICE("u\tb\n")},
        {"etc/second.tsv", SLICE("v\tb\n")},
        {NULL, {0}},
    };

    cr_assert(load(texts));
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        cr_expect(has(paths[i]), "%s", paths[i]);
    cr_expect_eq(files.count, COUNT_OF(paths), "each once: %zu", files.count);
}

/* Or nobody would notice that it has been mended. */
Test(conf_files, also_what_a_failed_load_stumbled_over)
{
    const struct conf_text broken[] = {{"etc/waypost.json", SLICE("{ not json")}, {NULL, {0}}};
    const struct conf_text absent[] = {
        {"etc/waypost.json", slice_str(conf_text_waypost)},
        {"etc/routes.json", SLICE("{\"backends\": {\"b\": {\"address\": \"b.example:993\", "
                                  "\"tls\": \"implicit\"}}, "
                                  "\"routes\": [{\"users_file\": \"users.tsv\"}]}")},
        {NULL, {0}},
    };

    cr_expect_not(load(broken));
    cr_expect_eq(files.count, 1);
    cr_expect(has("etc/waypost.json"));
    conf_files_clear(&files);
    cr_expect_not(load(absent));
    cr_expect(has("etc/users.tsv"));
}

Test(conf_files, change_is_told_from_no_change)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s", tempdir_path(&dir, "file"));
    tempdir_write(&dir, "file", "1");
    tempdir_write(&dir, "other", "1");
    conf_files_add(&files, path);
    conf_files_add(&files, path);
    cr_expect_eq(files.count, 1);
    cr_expect_null(conf_files_changed(&files));
    tempdir_write(&dir, "other", "22");
    cr_expect_null(conf_files_changed(&files), "a file that is none of ours");
    tempdir_write(&dir, "file", "22");
    cr_expect_str_eq(conf_files_changed(&files), path);
    conf_files_clear(&files);
    conf_files_add(&files, path);
    cr_expect_null(conf_files_changed(&files), "as it is now");
    tempdir_put(&dir, "file", "33");
    cr_expect_str_eq(conf_files_changed(&files), path, "another file of that name");
}

Test(conf_files, access_existence_and_links_count)
{
    char path[PATH_MAX];

    tempdir_write(&dir, "one", "1");
    tempdir_write(&dir, "two", "1");
    tempdir_link(&dir, "one", "link");
    snprintf(path, sizeof(path), "%s", tempdir_path(&dir, "link"));
    conf_files_add(&files, path);
    cr_expect_null(conf_files_changed(&files));
    cr_assert_eq(chmod(path, 0600), 0);
    cr_expect_not_null(conf_files_changed(&files), "access");
    cr_assert_eq(chmod(path, 0644), 0);
    cr_expect_null(conf_files_changed(&files));
    tempdir_link(&dir, "two", "link");
    cr_expect_not_null(conf_files_changed(&files), "another target");
    tempdir_link(&dir, "one", "link");
    cr_expect_null(conf_files_changed(&files));
    cr_assert_eq(unlink(tempdir_path(&dir, "one")), 0);
    cr_expect_not_null(conf_files_changed(&files), "gone");
    conf_files_clear(&files);
    conf_files_add(&files, path);
    cr_expect_null(conf_files_changed(&files), "still gone");
    tempdir_write(&dir, "one", "1");
    cr_expect_not_null(conf_files_changed(&files), "and back");
}
