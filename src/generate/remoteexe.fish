# Completions of remoteexe for fish. Printed by: remoteexe --generate complete-fish

# Whether the cursor is on this part of a command line: first (the first word), job (before HOST), remote (after
# HOST), report, generate (what follows it), or airflow (what follows that).
function __remoteexe_is --argument-names part
    set -l words (commandline -opc)
    set -e words[1]
    switch "$words[1]"
        case --report
            test $part = report
            return
        case --generate
            test $part = generate -a (count $words) = 1; or test $part = airflow -a "$words[2]" = airflow
            return
    end
    set -l has_option false
    for word in $words
        if $has_option
            set has_option false
        else if contains -- $word @VALUED@
            set has_option true
        else if not string match -q -- '-*' $word
            test $part = remote
            return
        end
    end
    test $part = job -o $part = first -a (count $words) = 0
end

complete -c remoteexe -f
complete -c remoteexe -n '__remoteexe_is job' -a '(__fish_print_hostnames)'
complete -c remoteexe -n '__remoteexe_is remote' -F
complete -c remoteexe -n '__remoteexe_is report' -F
complete -c remoteexe -n '__remoteexe_is generate' -a '@WHAT@'
@OPTIONS@
