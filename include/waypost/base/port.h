/*
 * The border between the pure core and the shell: one port for the client, one for the backend.
 *
 * `in` and `out` carry plaintext. The shell writes the facts, the core the asks; neither writes the
 * other's. The shell clears an ask when it has taken it on, and `ask == 0` afterwards.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "waypost/base/addr.h"
#include "waypost/base/buf.h"

/* Why a port failed; PORT_TLS_VERIFY and PORT_TLS_CONFIG mean "never retry with credentials". */
enum port_failure {
    PORT_FINE,
    PORT_RESOLVE,      /* the host name has no address, or the look-up failed */
    PORT_CONNECT,      /* refused by an address, or there is no way to it */
    PORT_UNREACHABLE,  /* nobody answers at any address */
    PORT_IO,           /* reset, or an error of read or write */
    PORT_TLS_PROTOCOL, /* not TLS, no common version, alert received */
    PORT_TLS_VERIFY,   /* chain, name or pin did not verify */
    PORT_MEMORY,
    PORT_LOCAL, /* nothing to connect from: no descriptor, port or address of this machine */
};

/* It says nothing about the other side. */
static inline bool port_failure_is_ours(enum port_failure failure)
{
    return failure == PORT_MEMORY || failure == PORT_LOCAL;
}

enum port_ask {
    ASK_OPEN = 1u << 0,   /* backend only: connect to the session's target */
    ASK_TLS = 1u << 1,    /* send what is in `out` in clear, then begin the handshake; what is in
                             `in` already belongs to the handshake (PROXY header, then TLS) */
    ASK_HANGUP = 1u << 2, /* flush what can be flushed at once, then close; discards `in` */
};

struct port {
    struct buf in, out;

    /* Facts. */
    bool open;      /* connected: bytes may flow */
    bool secure;    /* the TLS handshake is done; set before the first plaintext byte */
    bool eof;       /* no byte will follow what is in `in` */
    bool truncated; /* eof came without close_notify (RFC 8446 section 6.1) */
    bool failed;    /* broken for good; `failure` and `detail` say why */
    bool busy;      /* a socket, a look-up or a closing handle is still alive */
    size_t unsent;  /* bytes taken from `out` that the kernel has not accepted yet */
    enum port_failure failure;
    char detail[128];          /* for the log, never for a client; NUL-terminated */
    struct addr local, remote; /* of the TCP connection */
    const char *tls_version;   /* static text, e.g. "TLSv1.3"; NULL without TLS */
    const char *tls_cipher;
    const char *alpn; /* static text, e.g. "imap"; NULL if none was agreed on */
    /* Borrowed from the TLS engine, alive as long as the port is open: the server name the client
     * asked for, NULL or "" without; from a client certificate that verified, the SAN's first
     * rfc822Name and the CN, NULL without. */
    const char *sni, *cert_email, *cert_name;

    /* Asks: a set of enum port_ask. */
    unsigned ask;
};

static inline size_t port_unsent(const struct port *p)
{
    return p->unsent + buf_len(&p->out);
}
