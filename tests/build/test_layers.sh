#!/usr/bin/env bash
# layers.py finds what it is there to find: each planted violation, by file or object and by name.
source "$(dirname "$0")/plant.bash"
copy tests/build
objects=$scratch/obj

# includes AREA LINE: a file of that area with that line, alone in its tree.
includes() {
    rm -rf src
    echo "$2" | plant "src/$1/planted.c"
    tests/build/layers.py . "$objects"
}

# calls AREA BODY: an object of that area whose function has this body, alone in its tree.
calls() {
    rm -rf src "$objects"
    mkdir -p src "$objects/src/$1"
    printf 'long %s();\nlong planted(void);\nlong planted(void) { return %s; }\n' \
        "${2%%(*}" "$2" | ${CC:-gcc} -O0 -w -x c -c -o "$objects/src/$1/planted.o" -
    tests/build/layers.py . "$objects"
}

calls imap 'memchr("a", 97, 1)' >/dev/null && echo "ok pure call" || echo "not ok pure call"
accepts "conf reads files" calls conf 'fopen("a", "r")'
accepts "conf reads JSON" calls conf 'json_loads("", 0, 0)'
refuses "a loop" 'src/imap/planted.o: uv_run \(loop\)' calls imap 'uv_run(0, 0)'
refuses "TLS" 'src/session/planted.o: SSL_read' calls session 'SSL_read(0, 0, 0)'
refuses "a stale TLS error" 'ERR_clear_error' calls route 'ERR_clear_error()'
refuses "a socket" 'src/sasl/planted.o: socket \(socket\)' calls sasl 'socket(0, 0, 0)'
refuses "a socket in conf" 'connect \(socket\)' calls conf 'connect(0, 0, 0)'
refuses "epoll" 'epoll_create1 \(socket\)' calls base 'epoll_create1(0)'
refuses "a clock" 'clock_gettime \(clock\)' calls session 'clock_gettime(0, 0)'
refuses "time" 'time \(clock\)' calls proxyhdr 'time(0)'
refuses "a thread" 'pthread_mutex_lock \(thread\)' calls base 'pthread_mutex_lock(0)'
refuses "randomness" "getrandom \(randomness\)" calls session "getrandom(0, 0, 0)"
refuses "a descriptor" 'open \(file\)' calls route 'open("a", 0)'
refuses "a fortified read" '__read_chk \(file\)' calls imap '__read_chk(0, 0, 0, 0)'
refuses "a large-file open" 'fopen64 \(file\)' calls imap 'fopen64("a", "r")'
refuses "output" 'printf \(output\)' calls imap 'printf("a %d", 1)'
refuses "JSON outside conf" 'json_loads \(JSON\)' calls route 'json_loads("", 0, 0)'
refuses "no object at all" 'no object' tests/build/layers.py . "$scratch/none"

calls imap 'memchr("a", 97, 1)' >/dev/null
accepts "an include downwards" includes session '#include "waypost/imap/scan.h"'
refuses "an include upwards" 'src/imap/planted.c: imap may not include session' \
    includes imap '#include "waypost/session/session.h"'
refuses "an include sideways" "imap may not include sasl" includes imap '#include "waypost/sasl/sasl.h"'
accepts "a single header sideways" includes conf '#include "waypost/base/base64.h"'
refuses "its neighbour" "conf may not include sasl" includes conf '#include "waypost/sasl/sasl.h"'
refuses "libuv in the core" '<uv.h> belongs to' includes session '#include <uv.h>'
refuses "OpenSSL in net" '<openssl/ssl.h> belongs to tls' includes net '#include <openssl/ssl.h>'
refuses "JSON in session" '<jansson.h> belongs to' includes session '#include <jansson.h>'
refuses "another area's private header" 'is private to net' includes run '#include "net/secret.h"'
accepts "admin sees what run keeps" includes admin '#include "run/secret.h"'
refuses "run does not see admin" 'run may not include admin' includes run '#include "admin/secret.h"'
refuses "a session in net" 'net may not include session' \
    includes net '#include "waypost/session/session.h"'
refuses "an unknown area" 'no layer is known' includes elsewhere '#include <stdio.h>'
