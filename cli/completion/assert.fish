# Completion of assert for fish. Load it with: assert completion fish | source
function __cloud_assert
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (command $words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    switch "$answer[1]"
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current"
        case words
            printf '%s\n' $answer[2..-1]
    end
end
complete -c assert -f -a '(__cloud_assert)'
complete -c cloud-assert -f -a '(__cloud_assert)'
