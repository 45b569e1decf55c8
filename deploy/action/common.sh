# shellcheck shell=bash
# Runs the image on the checkout, which it can only read, with $OUT as the one place to write to. Sourced by the scripts beside it.
# Words that begin with -- and stand before a lone -- go to docker, what follows to the image.
in_image() {
  local more=()
  while [ "$1" != -- ]; do more+=("$1"); shift; done
  shift
  docker run --rm --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
    --user "$(id -u):$(id -g)" --workdir /work --env CI=true \
    --volume "$GITHUB_WORKSPACE:/work:ro" --volume "$OUT:/out" "${more[@]}" "$IMAGE" "$@"
}

# Words of clusters and commits reach the log; while commands are stopped none of them is one.
quietly() {
  local stop code=0
  stop=$(openssl rand -hex 16)
  echo "::stop-commands::$stop"
  "$@" || code=$?
  echo "::$stop::"
  return "$code"
}

# The revision that a pull request changes, in $BASE, and in the checkout. A pull request is checked out as its merge: what it changes is the
# difference to the first parent of that merge, not to where it once began.
find_base() {
  local parents
  mapfile -t parents < <(git cat-file commit HEAD | sed -n '/^$/q; s/^parent //p')
  if [ "${#parents[@]}" = 2 ] && [ "${parents[1]}" = "$HEAD_SHA" ]; then BASE=${parents[0]}; fi
  git cat-file -e "$BASE^{commit}" 2>/dev/null || git fetch --quiet --depth=1 origin "$BASE" || {
    echo "::error::the base revision $BASE is not in the checkout and cannot be fetched: give actions/checkout \`fetch-depth: 2\`"
    exit 3
  }
}
