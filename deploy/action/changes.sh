#!/usr/bin/env bash
# Which requests change between base and head: one comparison for each folder of $ROUTES, all in one comment. It informs, and never fails the step.
# shellcheck disable=SC2016
set -euo pipefail
here=$(dirname "$0")
OUT=$(mktemp -d "$RUNNER_TEMP/cloud-assert.XXXXXX")
chmod 0777 "$OUT"
# shellcheck source=deploy/action/common.sh
. "$here/common.sh"

find_base

echo '<!-- cloud-assert-compare -->' > "$OUT/changes.md"
worst=0
number=0
while IFS= read -r path; do
  [ -n "$path" ] || continue
  number=$((number + 1))
  section="$OUT/section-$number.md"
  code=0
  if git cat-file -e "HEAD:$path" 2>/dev/null && ! git cat-file -e "$BASE:$path" 2>/dev/null; then
    printf '## ➕ routes: new\n\n`%s` is new: the base has nothing to compare it with.\n' "$path" > "$section"
  else
    quietly in_image --network none -- compare --untrusted --color never "git:${BASE:0:12}:$path" "git:HEAD:$path" -o "markdown=/out/section-$number.md" -o terminal || code=$?
    [ -s "$section" ] || printf '## ❔ routes: not compared\n\n`%s` could not be compared; the log of the step says why.\n' "$path" > "$section"
  fi
  # 1 different, 3 could not run, 2 undecided, 0 equivalent: what is seen to change decides
  case "$worst$code" in ?1) worst=1 ;; 03 | 23) worst=3 ;; 02) worst=2 ;; esac
  if [ $(($(stat -c %s "$OUT/changes.md") + $(stat -c %s "$section"))) -le 64000 ]; then
    { echo; grep -v '^<!-- cloud-assert-compare -->$' "$section"; } >> "$OUT/changes.md"
  else
    printf '\n`%s`: no room here; the log of the step has it.\n' "$path" >> "$OUT/changes.md"
  fi
done <<< "$ROUTES"

case $worst in 0) changes=equivalent ;; 1) changes=different ;; *) changes=undecided ;; esac
{ echo "changes=$changes"; echo "markdown=$OUT/changes.md"; } >> "$GITHUB_OUTPUT"
cat "$OUT/changes.md" >> "$GITHUB_STEP_SUMMARY"
