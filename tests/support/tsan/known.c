/*
 * Only in VARIANT=tsan. What ThreadSanitizer must not report: libuv closes descriptors by a bare
 * system call, which it does not see, so whoever is given the same number next seems to race with
 * the thread that had it. Elsewhere the kernel's own order makes up for that; reopening the log
 * does not. Owns nothing.
 */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
    return "race:logger_reopen\n";
}
