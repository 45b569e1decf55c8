#compdef assert cloud-assert
# Completion of assert for zsh. Load it with: source <(assert completion zsh), or keep it as `_assert` in a folder of $fpath
_cloud_assert() {
  local -a answer
  answer=("${(@f)$("${words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  case "${answer[1]}" in
    files) _files ;;
    folders) _files -/ ;;
    words) (( ${#answer} > 1 )) && compadd -- "${(@)answer[2,-1]}" ;;
  esac
}
if [[ ${funcstack[1]} == _assert ]]; then _cloud_assert "$@"; else compdef _cloud_assert assert cloud-assert; fi
