# Completions of remoteexe for bash. Printed by: remoteexe --generate complete-bash

# _remoteexe_value OPTION: sets value to what follows the option on this command line ($line), and words to the words
# that may follow. Without a value it fails.
_remoteexe_value() {
    value='' words=''
    case $line,$1 in
@VALUES@
    esac
    [[ $value ]]
}

# The hosts of ssh's own completion, if bash-completion is there; or else those that the files name in clear text.
_remoteexe_hosts() {
    if declare -F _comp_compgen_known_hosts >/dev/null; then
        _comp_compgen_known_hosts -a ${config:+-F "$config"} -- "$cur"
    elif declare -F _known_hosts_real >/dev/null; then
        _known_hosts_real -a ${config:+-F "$config"} -- "$cur"
    else
        local configs=(~/.ssh/config /etc/ssh/ssh_config)
        [[ $config ]] && configs=("$config")
        # Not compgen -W: it would run a $(command) in the files.
        mapfile -t COMPREPLY < <({
            cat -- "${configs[@]}" | awk 'tolower($1) == "host" { for (i = 2; i <= NF; i++) print $i }'
            cat ~/.ssh/known_hosts /etc/ssh/ssh_known_hosts |
                awk '!/^[|#@]/ { gsub(/,|\[|\]:[0-9]+/, "\n", $1); print $1 }'
        } 2>/dev/null | cur=$cur awk 'NF && index($0, ENVIRON["cur"]) == 1 && !/[][*?!$`"\047\\;&|<>(){}~#]/' | sort -u)
    fi
}

# Offers what the value may be.
_remoteexe_complete_value() {
    case $value in
        file) compopt -o default ;;
        directory) compopt -o dirnames ;;
        host) _remoteexe_hosts ;;
        user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
        words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
    esac
}

_remoteexe() {
    local cur=${COMP_WORDS[COMP_CWORD]} line=job i=1 option='' host='' config='' value='' words='' what='' word
    COMPREPLY=()
    if ((COMP_CWORD > 1)); then
        case ${COMP_WORDS[1]} in
            --report) line=report i=2 ;;
            --generate) option=--generate i=2 ;;
        esac
    fi
    # The words before the cursor: which of them is HOST, and does the last one want a value? bash has made --tee=auto
    # three words.
    for (( ; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $option ]]; then
            [[ $word == = ]] && continue
            [[ $option == -F ]] && config=${word/#\~/$HOME}
            [[ $option == --generate ]] && line=generate what=$word
            option=''
        elif [[ $word == -- ]]; then
            [[ $line == report ]] || host=next
        elif [[ $word == -* && $host != next ]]; then
            _remoteexe_value "$word" && option=$word
        elif [[ $line == job ]]; then
            host=$word
            break
        fi
    done
    [[ $cur == = && $option ]] && cur=''
    if [[ $option ]]; then
        _remoteexe_value "$option"
        _remoteexe_complete_value
    elif [[ $line == generate ]]; then
        [[ $what == airflow ]] && mapfile -t COMPREPLY < <(compgen -W '@GENERATE@' -- "$cur")
    elif [[ $host && $host != next ]]; then
        # The remote command. Its files may have the same names here.
        compopt -o default
    elif [[ $cur == -* && ! $host ]]; then
        case $line in
            job) words='@JOB@' ;;
            report) words='@REPORT@' ;;
        esac
        ((COMP_CWORD == 1)) && words+=' @FIRST@'
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    elif [[ $line == job ]]; then
        _remoteexe_hosts
    else
        compopt -o default
    fi
}

complete -F _remoteexe remoteexe
