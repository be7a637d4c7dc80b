#!/usr/bin/env bash
# Installs the Debian packages that are missing, or with --check only names them (exit status 1).
#
#     deploy/deps.sh [--check] GROUP...        GROUP: build demo test fuzz lint valgrind
#
# A package counts as present when what it is wanted for is found, wherever that came from: a
# program, a library that pkg-config finds in a sufficient version, or a file.
set -euo pipefail

PACKAGES="
build     make                 program:make
build     gcc                  program:gcc
build     libc6-dev            file:/usr/include/stdio.h
build     pkg-config           program:pkg-config
build     libuv1-dev           library:libuv>=1.44
build     libssl-dev           library:openssl>=3.0
build     libjansson-dev       library:jansson>=2.14
build     libxxhash-dev        library:libxxhash>=0.8
build     libpcre2-dev         library:libpcre2-8>=10.30
demo      python3              program:python3
demo      dovecot-imapd        file:/usr/lib/dovecot/imap
demo      openssl              program:openssl
demo      curl                 program:curl
test      libcriterion-dev     file:/usr/include/criterion/criterion.h
test      isync                program:mbsync
fuzz      clang                program:clang
fuzz      libclang-rt-dev      runtime:clang
fuzz      llvm                 program:llvm-symbolizer
lint      clang                program:clang
lint      clang-format         program:clang-format
lint      clang-tidy           program:clang-tidy
valgrind  valgrind             program:valgrind
"

present() {
    local kind=${1%%:*} what=${1#*:}
    case $kind in
    program) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin type -P "$what" >/dev/null ;;
    library) type -P pkg-config >/dev/null && pkg-config --exists "${what/>=/ >= }" ;;
    file) test -e "$what" ;;
    runtime) ls "$("$what" -print-resource-dir)"/lib/*/*fuzzer* ;;
    esac >/dev/null 2>&1
}

# Words of the groups asked for whose purpose is not met.
missing() {
    local group package probe
    while read -r group package probe; do
        if [[ " $* " == *" $group "* ]] && ! present "$probe"; then
            printf '%s ' "$package"
        fi
    done <<<"$(grep . <<<"$PACKAGES")"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The package of Dovecot starts a server; the demo and the tests start their own and want no other.
stop_dovecot() {
    if [ -d /run/systemd/system ]; then
        echo "deps: switching off the system-wide Dovecot that was just installed"
        as_root systemctl disable --now dovecot.service dovecot.socket || true
    fi
}

install_packages() {
    if ! type -P apt-get >/dev/null; then
        echo "deps: no apt-get here; please install by your own means: $*" >&2
        exit 1
    fi
    echo "deps: installing with apt-get: $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
    if [[ " $* " == *" dovecot-imapd "* ]]; then stop_dovecot; fi
}

check=no
if [ "${1-}" = --check ]; then
    check=yes
    shift
fi
if [ $# -eq 0 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
read -r -a words <<<"$(missing "$@")"
if [ ${#words[@]} -eq 0 ]; then exit 0; fi
if [ $check = yes ]; then
    echo "These Debian packages are missing (make deps installs them): ${words[*]}" >&2
    exit 1
fi
install_packages "${words[@]}"
if [ -n "$(missing "$@")" ]; then
    echo "deps: still missing, or too old: $(missing "$@")" >&2
    exit 1
fi
