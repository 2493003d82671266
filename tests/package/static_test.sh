#!/usr/bin/env bash
# The static library as an engine gets it: installed, and as part of its own build.
set -euo pipefail
# shellcheck source=tests/package/lib.sh
source "$SOURCE/tests/package/lib.sh"

step "install"
quietly cmake --install "$BUILD" --prefix "$work/first" --component development
mv -- "$work/first" "$work/prefix"  # an installed tree may be moved
libdir="$(dirname -- "$(find "$work/prefix" -name libtickpipe.a)")"
[[ -d "$libdir" ]] || die "no libtickpipe.a"
check_headers "$work/prefix/include"
check_consumers "$work/prefix" "$libdir"

for how in subdirectory fetch; do
  step "$how"
  folder="$nested-$how"
  builds+=("$folder")
  configure "$folder" -S "$here/consumer" "-DTICKPIPE_HOW=$how" "-DTICKPIPE_SOURCE=$SOURCE"
  quietly cmake --build "$folder" --target consumer
  run_consumer "$folder/consumer"
done
