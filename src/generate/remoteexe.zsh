#compdef remoteexe
# Completions of remoteexe for zsh. Printed by: remoteexe --generate complete-zsh

_remoteexe() {
    local -a first=(
@FIRST@
    )
    local -a job=(
@JOB@
    )
    local -a report=(
@REPORT@
    )
    local -a generate=(
@GENERATE@
    )
    if (( CURRENT > 2 )) && [[ $words[2] == --report ]]; then
        shift words
        (( CURRENT-- ))
        _arguments -s -S $report '*:log:_files'
    elif (( CURRENT > 2 )) && [[ $words[2] == --generate ]]; then
        if (( CURRENT == 3 )); then
            compadd @WHAT@
        elif [[ $words[3] == airflow ]]; then
            shift 2 words
            (( CURRENT -= 2 ))
            _arguments -s -S $generate
        fi
    else
        (( CURRENT == 2 )) && job+=($first)
        # What follows HOST is the remote command, and no option of remoteexe.
        _arguments -s -S -A '-*' $job ':host:_ssh_hosts' '*:remote command:_default'
    fi
}

_remoteexe "$@"
