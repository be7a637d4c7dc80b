/*
 * What a backend says to a probe. The first byte chooses the backend; then come its bytes, in which
 * one stands for the end of a TLS handshake. However they are cut, the probe ends, and with the
 * same outcome. Nothing but STARTTLS is sent in clear where there is to be TLS, and the password is
 * never in what is told of the probe.
 */
#include <stdint.h>

#include "waypost/base/limits.h"
#include "waypost/base/str.h"
#include "waypost/probe/probe.h"

#define MAX_INPUT 8192u
#define SHAKEN    0xFE /* in no UTF-8 text: TLS is there, if it was asked for */
#define PASSWORD  "PW~secret"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pool pool;

struct outcome {
    bool up;
    struct caps caps;
    struct str sent;
    char storage[1024];
};

static bool holds(struct slice text, struct slice needle)
{
    for (size_t i = 0; i + needle.len <= text.len; i++) {
        if (slice_starts(slice_skip(text, i), needle))
            return true;
    }
    return false;
}

/* What the shell does with what the probe wants. True when TLS is waited for. */
static bool perform(struct probe *p, struct outcome *out)
{
    bool shaking = (p->port.ask & ASK_TLS) != 0;
    struct slice bytes = buf_bytes(&p->port.out);

    if (p->backend->tls != CONF_TLS_NONE && !p->port.secure)
        ENSURE(bytes.len == 0 || slice_eq(bytes, SLICE("w1 STARTTLS\r\n")));
    str_add(&out->sent, bytes);
    buf_drop(&p->port.out, bytes.len);
    if ((p->port.ask & ASK_OPEN) != 0)
        p->port.open = true;
    p->port.ask = 0;
    return shaking;
}

static bool is_mark(struct slice bytes)
{
    return bytes.len > 0 && (unsigned char)bytes.ptr[0] == SHAKEN;
}

static void play(const struct conf_backend *backend, struct slice given, size_t step,
                 struct outcome *out)
{
    struct slice bytes = given;
    bool shaking = false;
    struct probe p;

    *out = (struct outcome){.up = false};
    out->sent = STR_ON(out->storage);
    probe_init(&p, backend, &pool, 0);
    for (;;) {
        struct slice part = slice_take(bytes, slice_find(bytes, (char)SHAKEN));
        probe_step(&p, 10);
        ENSURE(buf_len(&p.port.in) <= LIMIT_BUF);
        shaking |= perform(&p, out);
        probe_step(&p, 10);
        shaking |= perform(&p, out);
        if (probe_done(&p))
            break;
        if (is_mark(bytes)) {
            p.port.secure |= shaking;
            shaking = false;
            bytes = slice_skip(bytes, 1);
        } else if (bytes.len == 0 || shaking) {
            ENSURE(!p.port.eof); /* it has had its chance */
            p.port.eof = true;
        } else {
            part = slice_take(part, step);
            ENSURE(buf_append(&p.port.in, part));
            bytes = slice_skip(bytes, part.len);
        }
    }
    ENSURE(p.deadline == PROBE_NEVER && p.up == (p.why[0] == '\0'));
    ENSURE(!holds(slice_str(p.why), SLICE(PASSWORD)) || holds(given, SLICE(PASSWORD)));
    out->up = p.up;
    ENSURE(!p.up || (caps_known(&p.caps) && caps_set(&out->caps, caps_words(&p.caps))));
    probe_fini(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char user[] = "probe";
    struct conf_backend backend = {.probe.timeout = 1000};
    struct outcome whole, pieces;

    if (size == 0 || size > MAX_INPUT)
        return 0;
    pool_init(&pool);
    backend.tls = (enum conf_tls_mode)(data[0] % 3);
    if ((data[0] & 0x40) != 0) {
        backend.probe_user = user;
        ENSURE(secret_set(&backend.probe_password, SLICE(PASSWORD)));
    }
    play(&backend, slice_of(data + 1, size - 1), MAX_INPUT, &whole);
    play(&backend, slice_of(data + 1, size - 1), 1 + data[0] / 3 % 7, &pieces);
    ENSURE(whole.up == pieces.up);
    ENSURE(!whole.up || (slice_eq(caps_words(&whole.caps), caps_words(&pieces.caps)) &&
                         slice_eq(str_slice(&whole.sent), str_slice(&pieces.sent))));
    caps_clear(&whole.caps);
    caps_clear(&pieces.caps);
    secret_clear(&backend.probe_password);
    pool_fini(&pool);
    return 0;
}
