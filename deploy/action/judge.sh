#!/usr/bin/env bash
# `assert run` in the image, in every format, and its numbers as outputs of the step.
set -euo pipefail
here=$(dirname "$0")
OUT=$(mktemp -d "$RUNNER_TEMP/cloud-assert.XXXXXX")
chmod 0777 "$OUT"
# shellcheck source=deploy/action/common.sh
. "$here/common.sh"

words=(run --fleet "$FLEET" --color never)
if [ "${UNTRUSTED:-$([ -n "$BASE" ] && echo true || echo false)}" = true ]; then words+=(--untrusted); fi

# What accepts findings comes from the base revision: a commit cannot accept its own faults.
accepted() {
  [ -n "$2" ] || return 0
  if [ -n "$BASE" ]; then
    # a file that the base does not have accepts nothing yet
    git cat-file -e "$BASE:$2" 2>/dev/null || return 0
    git show "$BASE:$2" > "$OUT/accepted-$1"
  else
    cp -- "$2" "$OUT/accepted-$1"
  fi
  words+=("--$1" "/out/accepted-$1")
}
if [ -n "$BASE" ] && [ -n "$WAIVERS$BASELINE" ]; then find_base; fi
accepted waivers "$WAIVERS"
accepted baseline "$BASELINE"

docker_words=(--network host)
if [ -n "$KUBECONFIG_FILE" ]; then docker_words+=(--volume "$KUBECONFIG_FILE:/kubeconfig:ro"); words+=(--kubeconfig /kubeconfig); fi
while IFS= read -r word; do [ -z "$word" ] || words+=("$word"); done <<< "$ARGS"
while IFS= read -r file; do [ -z "$file" ] || words+=("$file"); done <<< "$FILES"
for output in json=report.json sarif=report.sarif junit=report.xml markdown=report.md html=report.html github=annotations.txt; do
  words+=(-o "${output%%=*}=/out/${output#*=}")
done

code=0
quietly in_image "${docker_words[@]}" -- "${words[@]}" -o terminal || code=$?
[ ! -s "$OUT/annotations.txt" ] || cat "$OUT/annotations.txt"
{
  echo "exit-code=$code"
  if [ -s "$OUT/report.json" ]; then
    echo "report=$OUT/report.json"
    echo "sarif=$OUT/report.sarif"
    echo "markdown=$OUT/report.md"
    jq -r '"verdict=\(.verdict)",
      "violations=\([.results[].findings[] | select(.outcome == "fault" and (.waived | not))] | length)",
      "undecided=\([.results[] | (.findings[] | select(.outcome == "undecided" and (.waived | not))), (.gaps[] | select(.waived | not))] | length)"' "$OUT/report.json"
  fi
} >> "$GITHUB_OUTPUT"
[ ! -s "$OUT/report.md" ] || [ "$(stat -c %s "$OUT/report.md")" -gt 1000000 ] || cat "$OUT/report.md" >> "$GITHUB_STEP_SUMMARY"
if [ "$code" = 2 ] && [ "$LENIENT" = false ]; then code=0; fi
echo "code=$code" >> "$GITHUB_OUTPUT"
