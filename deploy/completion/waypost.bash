# bash completion for waypost: commands, their options, files for -c, users have no completion.

_waypost()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        run | check | route) command=${COMP_WORDS[i]} && break ;;
        esac
    done

    case $before in
    -c | --config)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --listener | --sni | --client) return ;;
    esac

    local words
    case $command in
    run | check) words="-c --help" ;;
    route) words="-c --listener --sni --client --json --help" ;;
    *) words="run check route --help --version" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _waypost waypost
