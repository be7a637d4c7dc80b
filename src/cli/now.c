/*
 * Follows place/homes.c with what can be known outside: an order and a hold come first, then the
 * backend where the user is, then the one where he was, then the candidates. Owns nothing, asks
 * nobody.
 */
#include "cli/now.h"

static const struct conf_backend *find_backend(const struct conf_routes *routes, const char *name)
{
    for (size_t i = 0; i < routes->backend_count; i++) {
        if (strcmp(routes->backends[i].name, name) == 0)
            return &routes->backends[i];
    }
    return NULL;
}

static bool admits(const struct standings *s, const struct conf_backend *b)
{
    const struct standing *standing = b == NULL ? NULL : standing_of(s, b);
    return standing != NULL && standing_admits(standing);
}

static bool serves(const struct standings *s, const struct conf_backend *b)
{
    const struct standing *standing = b == NULL ? NULL : standing_of(s, b);
    return standing != NULL && standing_serves(standing);
}

static bool is_candidate(const struct route_decision *decision, const struct conf_backend *b)
{
    for (size_t i = 0; i < decision->candidate_count; i++) {
        if (decision->candidates[i] == b)
            return true;
    }
    return false;
}

/* Nobody is there, so he may be anywhere; where he was, if that can be. */
static const struct conf_backend *choose(const struct standings *s,
                                         const struct route_decision *decision,
                                         const struct standing_home *home,
                                         const struct conf_backend *was)
{
    if (admits(s, was) && (home->pinned || is_candidate(decision, was)))
        return was;
    for (size_t i = 0; i < decision->candidate_count; i++) {
        if (admits(s, decision->candidates[i]))
            return decision->candidates[i];
    }
    return NULL;
}

void now_find(const struct standings *s, const struct conf_routes *routes,
              const struct route_decision *decision, const struct standing_home *home,
              struct now *out)
{
    const struct conf_backend *at = find_backend(routes, home->backend);
    struct str why;

    *out = (struct now){.waits = true};
    why = STR_ON(out->why);
    if (home->moving_to[0] != '\0') {
        str_addf(&why, "waits for the move to %s", home->moving_to);
    } else if (home->held > 0) {
        str_addf(&why, "waits for the end of the hold");
    } else if (home->logins > 0 && serves(s, at)) {
        out->backend = at->name;
    } else if (home->logins > 0) {
        str_addf(&why, "waits for the sessions at %s to end", home->backend);
    } else {
        at = choose(s, decision, home, at);
        out->backend = at == NULL ? NULL : at->name;
        out->waits = false;
        str_addf(&why, "none of them takes users");
    }
}
