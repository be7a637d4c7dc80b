/*
 * Stands in for libFuzzer: gives every file of the corpus directories named on the command line to
 * the target, each in a child of its own so that one crash is one failure and the rest still run.
 * Owns the file's bytes for the length of one call, in a block of exactly their size: a read past
 * the end is then a finding. Ends with `N passed, N failed`. Never writes a file.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

struct tally {
    unsigned passed, failed;
};

/* Runs in the child: its exit status says whether the file could be read and was survived. */
static int feed(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat about;
    if (file == NULL || fstat(fileno(file), &about) != 0) {
        perror(path);
        return EXIT_FAILURE;
    }
    size_t size = (size_t)about.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size) {
        perror(path);
        return EXIT_FAILURE;
    }
    fclose(file);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return EXIT_SUCCESS;
}

static void replay_file(const char *path, struct tally *tally)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        exit(feed(path));
    }
    int status = 0;
    if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
        WEXITSTATUS(status) == EXIT_SUCCESS) {
        tally->passed++;
        return;
    }
    tally->failed++;
    printf("FAILED %s (status 0x%x)\n", path, (unsigned)status);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay_directory(const char *directory, struct tally *tally)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, visible, alphasort);
    if (count < 0) {
        perror(directory);
        tally->failed++;
        return;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        int length = snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        free(entries[i]);
        if (length < 0 || (size_t)length >= sizeof path) {
            tally->failed++;
            continue;
        }
        replay_file(path, tally);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    struct tally tally = {0, 0};
    if (LLVMFuzzerInitialize != NULL) {
        (void)LLVMFuzzerInitialize(&argc, &argv);
    }
    for (int i = 1; i < argc; i++) {
        replay_directory(argv[i], &tally);
    }
    printf("%u passed, %u failed\n", tally.passed, tally.failed);
    return tally.failed == 0 && tally.passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
