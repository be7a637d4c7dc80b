#!/usr/bin/env bash
# The bash completion offers what the program understands.
source "$(dirname "$0")/plant.bash"
source "$project/deploy/completion/waypost.bash"
touch "$scratch/waypost.json"
cd "$scratch"

# offers WORD BEFORE...: completing the command line BEFORE..., WORD is among the proposals.
offers() {
    local wanted=$1
    shift
    COMP_WORDS=("$WAYPOST_BUILD/waypost" "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _waypost || true
    printf '%s\n' "${COMPREPLY[@]}"
    grep -qxF -- "$wanted" <(printf '%s\n' "${COMPREPLY[@]}")
}

for command in run check route status top who kick reload down up drain undrain move hold schema help version; do
    accepts "command $command" offers "$command" "${command:0:2}"
done
accepts "all commands" offers route ""
accepts "an option of the program" offers --version --v
accepts "options of run" offers --config run --
accepts "options of route" offers --listener route --l
refuses "only its own options" . offers --listener check --
accepts "options of kick" offers --all kick --a
accepts "files behind --socket" offers waypost.json who --socket way
accepts "files behind -c" offers waypost.json run -c way
accepts "operands of schema" offers routes schema r
accepts "operands of help" offers check help ch
refuses "no files elsewhere" '^$' offers waypost.json route way
