#!/usr/bin/env bash
# tidy.sh FLAGS... FILE: clang-tidy on one file, silent when there is nothing to say. One process per
# file: the analyzer's va_list checker confuses files that share one.
set -euo pipefail

file=${!#}
if ! said=$(clang-tidy --quiet "$file" -- "${@:1:$#-1}" 2>&1); then
    grep -v 'warnings\? generated\|warnings\? treated as error' <<<"$said"
    exit 1
fi
