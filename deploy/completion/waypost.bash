# bash completion for waypost. Asks the program's own help, so that it never lags behind.

_waypost()
{
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}
    local before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-} words=
    local commands='s/^  \([a-z][a-z-]*\) .*/\1/p'
    local options='s/^  \(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p'

    if [[ $before =~ ^(-c|--config|--socket|--users-file|--against)$ ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    if ((COMP_CWORD == 1)); then
        words="$("$program" help 2>/dev/null | sed -n "$commands") --help --version"
    elif [[ $word == -* ]]; then
        words=$("$program" help "$command" 2>/dev/null | sed -n "$options")
    elif [[ $command == help && $COMP_CWORD == 2 ]]; then
        words=$("$program" help 2>/dev/null | sed -n "$commands")
    elif [[ $command == schema && $COMP_CWORD == 2 ]]; then
        words="config routes"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _waypost waypost
