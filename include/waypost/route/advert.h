/*
 * What clients may be told before login: the capabilities and mechanisms of which it is known that
 * every backend they can be routed to has them. Pure: from the configuration and what the backends
 * showed before login.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/conf/conf.h"
#include "waypost/imap/caps.h"

struct advert {
    struct caps words; /* owned; without AUTH=, STARTTLS and LOGINDISABLED */
    bool mechanisms[CONF_MECH_COUNT];
};

/* Sets `reached` for each of the backends, in their order: whether a rule may lead there from
 * `listener`, by its name; NULL: from any. */
void advert_reach(const struct conf_routes *routes, const char *listener, bool *reached);
/* Replaces *out, which is an earlier one or zeroed. `known` has what each of the backends showed
 * before login, in their order, CAPS_UNKNOWN where nothing is known; only those that are `reached`
 * count. The words are `own`, what the proxy itself can do, and what it can carry of the words that
 * all of them have in common; unknown only when memory is short. PLAIN and LOGIN are there when
 * enabled, any other mechanism when every backend is known to take it. */
void advert_make(const struct conf *conf, const bool *reached, const struct caps *known,
                 struct slice own, struct advert *out);
void advert_clear(struct advert *advert);

/* Whether a client that logs in by `mechanism` can be logged in at `backend`, going by its declared
 * mechanisms, else by `known`; false when there is neither. */
bool advert_takes(const struct conf_backend *backend, const struct caps *known,
                  enum conf_mechanism mechanism);

/* Whether a backend offers SCRAM with channel binding while clients may use SCRAM: then those that
 * could bind, but were not offered it by us, must be refused (RFC 5802 section 6). */
#define ADVERT_PLUS_TEXT                                                                 \
    "offers SCRAM with channel binding, which no proxy can pass on: clients that could " \
    "bind will be refused; turn it off there or leave SCRAM out of auth.mechanisms"
bool advert_binds_channel(const struct conf *conf, const struct caps *known);
