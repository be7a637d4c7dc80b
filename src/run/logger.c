/*
 * The sink behind every struct log of the process. Owns one descriptor. Never builds a line's
 * fields, never blocks on anything but write(2), and drops a line rather than wait for a retry.
 */
#include "run/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "waypost/base/limits.h"

#define PREFIX_MAX 96u

static bool is_syslog(const char *to)
{
    return strcmp(to, "syslog") == 0;
}

/* A new descriptor, or -1 with errno set. Syslog lines need none, but /dev/null keeps the number.
 */
static int open_target(const char *to)
{
    if (strcmp(to, "stderr") == 0)
        return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (is_syslog(to))
        return open("/dev/null", O_WRONLY | O_CLOEXEC);
    return open(to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

int logger_open(struct logger *logger, const char *to)
{
    int fd = open_target(to);

    if (fd < 0)
        return errno;
    logger->fd = fd;
    atomic_init(&logger->syslog, is_syslog(to));
    openlog("waypost", LOG_PID, LOG_MAIL);
    return 0;
}

int logger_reopen(struct logger *logger, const char *to)
{
    int fd = open_target(to), error = 0;

    if (fd < 0)
        return errno;
    if (dup3(fd, logger->fd, O_CLOEXEC) < 0)
        error = errno;
    close(fd);
    if (error == 0)
        atomic_store(&logger->syslog, is_syslog(to));
    return error;
}

void logger_close(struct logger *logger)
{
    close(logger->fd);
    logger->fd = -1;
    closelog();
}

static void add_time(struct str *out)
{
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &now); /* for the reader only; deadlines are monotonic */
    gmtime_r(&now.tv_sec, &tm);
    str_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now.tv_nsec / 1000000));
}

static void add_prefix(struct str *out, enum log_level level, bool json)
{
    str_add(out, json ? SLICE("{\"time\":\"") : SLICE(""));
    add_time(out);
    str_addf(out, json ? "\",\"level\":\"%s\"," : " %s ", log_level_name[level]);
}

static void send_to_syslog(enum log_level level, struct slice line, bool json)
{
    static const int priority[LEVEL_COUNT] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

    syslog(priority[level], "%s%.*s", json ? "{" : "", SLICE_ARG(line));
}

void logger_sink(void *ctx, enum log_level level, struct slice line)
{
    struct logger *logger = ctx;
    char storage[PREFIX_MAX + LIMIT_LOG_LINE];
    struct str out = STR_ON(storage);
    bool json = slice_starts(line, SLICE("\"")); /* text begins with a bare key */
    ssize_t written;

    if (atomic_load_explicit(&logger->syslog, memory_order_relaxed)) {
        send_to_syslog(level, line, json);
        return;
    }
    add_prefix(&out, level, json);
    str_add(&out, line);
    str_addc(&out, '\n');
    do {
        written = write(logger->fd, out.data, out.len);
    } while (written < 0 && errno == EINTR);
}
