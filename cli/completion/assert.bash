# Completion of assert for bash. Load it with: source <(assert completion bash)
_cloud_assert() {
  local line="${COMP_LINE:0:COMP_POINT}" current prefix="" mark each
  local -a words answer
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="${words[${#words[@]} - 1]}"
  # bash takes : and = for ends of words, and wants only what follows the last of them
  for mark in : =; do
    each="${current%"$mark"*}$mark"
    [[ $COMP_WORDBREAKS == *"$mark"* && $current == *"$mark"* && ${#each} -gt ${#prefix} ]] && prefix="$each"
  done
  mapfile -t answer < <("$1" __complete "${words[@]:1}" 2>/dev/null)
  COMPREPLY=()
  case "${answer[0]-}" in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
    *) for each in "${answer[@]:1}"; do COMPREPLY+=("${each#"$prefix"}"); done ;;
  esac
}
complete -F _cloud_assert assert cloud-assert
