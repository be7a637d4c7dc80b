# For the self-checks: a scratch copy of the project that may be broken on purpose. Sourced.
# Each check prints `ok NAME` or `not ok NAME` with what was seen; the driver counts the lines.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset BUILD VARIANT WERROR V MAKEFLAGS MAKELEVEL

# copy PATH...: the named files and directories of the project, at the same place in the scratch.
copy() {
    (cd "$project" && tar -c --exclude=__pycache__ "$@") | tar -x -C "$scratch"
    cd "$scratch"
}

# plant FILE: standard input becomes this file.
plant() {
    mkdir -p "$(dirname "$1")"
    cat >"$1"
}

# refuses NAME PATTERN COMMAND...: the command must fail and say a line that matches.
refuses() {
    local name=$1 pattern=$2 said
    shift 2
    if said=$("$@" 2>&1); then
        printf 'not ok %s: was accepted\n%s\n' "$name" "$said"
    elif grep -qE -- "$pattern" <<<"$said"; then
        echo "ok $name"
    else
        printf 'not ok %s: no line matches %s\n%s\n' "$name" "$pattern" "$said"
    fi
}

# accepts NAME COMMAND...: the command must succeed.
accepts() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then echo "ok $name"; else printf 'not ok %s\n%s\n' "$name" "$said"; fi
}
