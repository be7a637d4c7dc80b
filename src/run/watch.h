/*
 * Notices when a file of a configuration changes, however: written, renamed over, or reached
 * through symbolic links that lead elsewhere now. Tells when it has been quiet for a moment,
 * because what is being written is not yet worth reading.
 */
#pragma once

#include <uv.h>

#include "waypost/base/check.h"
#include "waypost/base/list.h"
#include "waypost/base/log.h"
#include "waypost/conf/files.h"

/* In ms. */
struct watch_times {
    uint64_t quiet;    /* nothing has happened for so long */
    uint64_t patience; /* or it did not stop happening for so long */
    /* Between two looks at all files: for file systems that tell nothing (a network's, say), and
     * for when the kernel has no more watches to give. */
    uint64_t slow, fast;
};

extern const struct watch_times watch_times;

struct watch;

/* Another load would read something else; `path` is valid during the call. It is not called again
 * before the next watch_use. */
typedef void watch_changed(struct watch *watch, const char *path);

struct watch {
    uv_loop_t *loop;       /* borrowed */
    const struct log *log; /* borrowed */
    const struct watch_times *times;
    watch_changed *changed;
    struct conf_files files; /* owned */
    struct list places;      /* of struct watch_place: directories, owned until they are closed */
    size_t place_count;
    uv_timer_t quiet, look;
    uint64_t since; /* loop time of the first event that was not followed by quiet; 0: none */
    bool on, told;
    bool blind; /* not everything could be watched */
};

/* Watches nothing yet. */
void watch_init(struct watch *watch, uv_loop_t *loop, const struct log *log,
                watch_changed *changed);
/* From now on these files, which it takes over, or none. What has changed since they were read is
 * told soon. */
void watch_use(struct watch *watch, struct conf_files *files, bool on);
/* Closes all handles; then run the loop until it is empty. */
void watch_close(struct watch *watch);
