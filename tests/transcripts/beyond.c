/*
 * Owns nothing; what the script has said is in struct run.
 */
#include "transcripts/beyond.h"

#include "support/lease.h"

bool beyond_place(struct run *run)
{
    struct lease *lease = &run->session.lease;
    const struct conf_routes *routes = run->conf->routes;

    if (lease->ask != LEASE_PLACE)
        return false;
    if (run->placing.len == 0) {
        lease_grant(&run->session);
        return true;
    }
    lease->ask = LEASE_NO_ASK;
    lease->fact = slice_eq(run->placing, SLICE("held")) ? LEASE_HELD : LEASE_FAILED;
    lease->until = run->now + 100;
    lease->why = "the script says so";
    for (size_t i = 0; i < routes->backend_count; i++) {
        if (slice_eq(run->placing, slice_str(routes->backends[i].name))) {
            lease->fact = LEASE_PLACED;
            lease->backend = &routes->backends[i];
        }
    }
    return true;
}

static void note(void *ctx, const struct conf_backend *backend, enum lore_when when,
                 struct slice words)
{
    struct run *run = ctx;
    UNUSED(backend);

    if (when == LORE_BEFORE_LOGIN && run->known.len > 0) {
        struct str known = STR_ON(run->noted);
        str_add(&known, words);
        run->known = str_slice(&known);
    }
}

static bool recall(void *ctx, const struct conf_backend *backend, struct caps *out)
{
    struct run *run = ctx;
    UNUSED(backend);

    return run->known.len > 0 && caps_set(out, run->known);
}

static void advertise(void *ctx, const struct conf_listener *listener, struct str *words,
                      bool mechanisms[CONF_MECH_COUNT])
{
    (void)ctx, (void)listener, (void)mechanisms;
    if (words != NULL)
        str_add(words, SLICE(SESSION_CAPABILITIES));
}

struct session_lore beyond_lore(struct run *run)
{
    return (struct session_lore){run, note, recall, advertise};
}
