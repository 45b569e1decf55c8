#!/usr/bin/env bash
# Keeps one comment of the pull request up to date: $REPORT begins with the marker by which it is found again.
# shellcheck disable=SC2016
set -euo pipefail
marker=$(head -n 1 "$REPORT")
export marker
keep() {
  local mine
  # only a comment of this workflow's own identity that begins with the marker is ours
  mine=$(gh api --paginate "repos/$REPOSITORY/issues/$NUMBER/comments" --jq '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith(env.marker))) | .id') || return
  mine=$(head -n 1 <<< "$mine")
  if [ -n "$mine" ]; then
    gh api --method PATCH "repos/$REPOSITORY/issues/comments/$mine" --field body=@"$REPORT" --silent
  else
    gh api --method POST "repos/$REPOSITORY/issues/$NUMBER/comments" --field body=@"$REPORT" --silent
  fi
}
# the verdict of the gate does not hang on a comment
keep || echo '::warning::the comment could not be written: the job needs `pull-requests: write`, which a pull request of a fork does not get'
