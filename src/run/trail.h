/*
 * Where a path leads, step by step: what has to be watched to know when it leads to another file.
 */
#pragma once

/* Whatever happens to `name` in `directory` may change what the path means. Both are valid during
 * the call. */
typedef void trail_step(void *ctx, const char *directory, const char *name);

/* Calls `step` for the file and for every symbolic link on the way there, also for those among its
 * directories. Where the way ends early, the last step is what is missing. */
void trail_follow(const char *path, trail_step *step, void *ctx);
