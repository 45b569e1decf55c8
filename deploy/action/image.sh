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

# A commit of the base, which a shallow checkout may lack.
have_commit() {
  git cat-file -e "$1^{commit}" 2>/dev/null || git fetch --quiet --depth=1 origin "$1"
}
