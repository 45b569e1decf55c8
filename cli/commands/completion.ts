import { UsageError } from "../errors.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import { nearest } from "../near.ts";
import type { Terminal } from "../terminal.ts";

/**
 * The scripts ask `assert __complete WORDS...` for what may stand in the place of the last word. Its first line says what to
 * offer (`words`, `files` or `folders`), the others are the words.
 */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: String.raw`# Completion of assert for bash. Load it with: source <(assert completion bash)
_cloud_assert() {
  local line="${"${COMP_LINE:0:COMP_POINT}"}" current prefix="" each
  local -a words answer
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="${"${words[${#words[@]}-1]}"}"
  # bash takes : and = for ends of words, and wants only what follows the last of them
  for each in : =; do
    if [[ $COMP_WORDBREAKS == *"$each"* && $current == *"$each"* && ${"${current%\"$each\"*}$each"} == "$prefix"* ]]; then
      prefix="${"${current%\"$each\"*}$each"}"
    fi
  done
  mapfile -t answer < <("$1" __complete "${"${words[@]:1}"}" 2>/dev/null)
  COMPREPLY=()
  case "${"${answer[0]-}"}" in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
    *) for each in "${"${answer[@]:1}"}"; do COMPREPLY+=("${"${each#\"$prefix\"}"}"); done ;;
  esac
}
complete -F _cloud_assert assert cloud-assert
`,
  zsh: String.raw`#compdef assert cloud-assert
# Completion of assert for zsh. Load it with: source <(assert completion zsh), or keep it as _assert in a folder of $fpath
_cloud_assert() {
  local -a answer
  answer=("${"${(@f)$(\"${words[1]}\" __complete \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}"}")
  case "${"${answer[1]}"}" in
    files) _files ;;
    folders) _files -/ ;;
    *) (( ${"${#answer}"} > 1 )) && compadd -- "${"${(@)answer[2,-1]}"}" ;;
  esac
}
if [[ $funcstack[1] == _assert ]]; then _cloud_assert "$@"; else compdef _cloud_assert assert cloud-assert; fi
`,
  fish: String.raw`# Completion of assert for fish. Load it with: assert completion fish | source
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
`,
};

/** Prints the completion script of a shell. */
export default async function completion(_flags: Flags, words: readonly string[], { stdout }: Terminal): Promise<ExitCode> {
  const [shell = ""] = words;
  const shells = Object.keys(SCRIPTS);
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    const near = nearest(shell, shells);
    throw new UsageError(`no completion for the shell \`${shell}\``, { remedy: near === undefined ? `use one of ${shells.join(", ")}` : `did you mean \`${near}\`?` });
  }
  await stdout.write(script);
  return exitCodes.holds;
}
