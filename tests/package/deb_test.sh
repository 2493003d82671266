#!/usr/bin/env bash
# The shared library and the Debian packages: made, looked through, unpacked and run.
set -euo pipefail
# shellcheck source=tests/package/lib.sh
source "$SOURCE/tests/package/lib.sh"

build="$nested-deb"
builds+=("$build")
step "build"
quietly cmake -S "$SOURCE" --preset deb -B "$build"
quietly cmake --build "$build"

step "what the shared library exports and needs"
library="$(find "$build" -name "libtickpipe.so.$VERSION")"
[[ -f "$library" ]] || die "no shared library"
exported="$(nm -D --defined-only -C "$library" | cut -d' ' -f3-)"
grep -q '^tickpipe::Pipeline::start()$' <<<"$exported" || die "Pipeline::start() is not exported"
grep -q '^typeinfo for tickpipe::ConfigError$' <<<"$exported" || die "ConfigError is not exported"
foreign="$(grep -vE '^((typeinfo|typeinfo name|vtable) for )?tickpipe::' <<<"$exported" || true)"
[[ -z "$foreign" ]] || die "exported, but not ours: $foreign"
inner="$(grep 'tickpipe::internal' <<<"$exported" || true)"
[[ -z "$inner" ]] || die "internals are exported: $inner"
# What a library has no business with: environment, locale, signal handlers, working directory, standard output, the end
# of the process, the allocator.
for name in getenv secure_getenv setenv putenv unsetenv setlocale signal sigaction chdir printf puts exit _exit \
  quick_exit mallopt; do
  ! nm -D --undefined-only "$library" | grep -qE " U $name(@|$)" || die "it calls $name()"
done

step "install"
quietly cmake --install "$build" --prefix "$work/prefix" --component libraries
quietly cmake --install "$build" --prefix "$work/prefix" --component development
libdir="$(dirname -- "$(find "$work/prefix" -name libtickpipe.so)")"
check_headers "$work/prefix/include"
LD_LIBRARY_PATH="$libdir" check_consumers "$work/prefix" "$libdir"

step "packages"
(cd -- "$work" && quietly cpack --config "$build/CPackConfig.cmake" -B "$work/packages")
shopt -s nullglob
packages=("$work"/packages/*.deb)
shopt -u nullglob
((${#packages[@]} == 3)) || die "there are ${#packages[@]} packages: ${packages[*]}"
for package in "${packages[@]}"; do dpkg-deb -x "$package" "$work/root"; done
field() { dpkg-deb -f "$work"/packages/"$1"_*.deb "$2"; }
for name in tickpipe-server libtickpipe0; do
  [[ "$(field "$name" Depends)" == *librocksdb7.8* ]] || die "$name does not depend on RocksDB: $(field "$name" Depends)"
done
[[ "$(field libtickpipe-dev Depends)" == "libtickpipe0 (= $VERSION)" ]] || die "the dependencies of libtickpipe-dev"
# The only scripts are those of CPack, which run ldconfig for the library.
for package in "${packages[@]}"; do
  mapfile -t scripts < <(dpkg-deb --ctrl-tarfile "$package" | tar -t | grep -E 'inst$|rm$' || true)
  for script in "${scripts[@]}"; do
    [[ "$package" == */libtickpipe0_* ]] || die "$package runs $script"
    said="$(dpkg-deb --ctrl-tarfile "$package" | tar -xO "$script" |
      grep -vE '^(#!/bin/sh|set -e|if \[ "\$1" = "(configure|remove)" \]; then|[[:space:]]*ldconfig|fi|)$' || true)"
    [[ -z "$said" ]] || die "$script of $package: $said"
  done
done
dpkg-deb --ctrl-tarfile "$work"/packages/tickpipe-server_*.deb | tar -xO ./conffiles >"$work/conffiles"
[[ "$(cat -- "$work/conffiles")" == /etc/tickpipe/config.json ]] || die "conffiles: $(cat -- "$work/conffiles")"

step "lintian"
if command -v lintian >/dev/null; then
  # The packages belong to no Debian release: no bug closes with them, and nobody has an address.
  quietly lintian --allow-root --fail-on error,warning --suppress-tags "$(paste -sd, "$here/lintian-suppressed")" \
    "${packages[@]}"
else
  printf 'SKIPPED: no lintian here\n'
fi

step "the unpacked server"
root="$work/root"
program="$root/usr/bin/tickpipe"
[[ "$("$program" version)" == *"$VERSION"* ]] || die "version"
"$program" check-config --config "$root/etc/tickpipe/config.json" || die "the packaged configuration"
unit="$root/lib/systemd/system/tickpipe.service"
grep -q '^ExecStart=/usr/bin/tickpipe serve --config /etc/tickpipe/config.json --data-dir /var/lib/tickpipe$' "$unit" ||
  die "the unit starts something else"
if command -v systemd-analyze >/dev/null; then
  sed "s|/usr/bin/tickpipe|$program|" "$unit" >"$work/tickpipe.service"
  quietly systemd-analyze verify --man=no "$work/tickpipe.service"
else
  printf 'SKIPPED: no systemd-analyze here, the unit is not verified\n'
fi
# As the unit says, but in these folders and on a free port.
"$program" serve --config "$root/etc/tickpipe/config.json" --data-dir "$work/state" --port 0 2>"$work/server.log" &
server=$!
pids+=("$server")
for ((i = 0; i < 600; ++i)); do
  port="$(sed -n 's/.*Listening on http:.*:\([0-9]*\)$/\1/p' "$work/server.log")"
  [[ -z "$port" ]] || break
  kill -0 "$server" || die "the server ended: $(cat -- "$work/server.log")"
  sleep 0.1
done
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
head -n 1 <&3 | grep -q ' 200 ' || die "not ready"
exec 3>&-
kill -TERM "$server"
wait "$server" || die "the server ended with status $?: $(cat -- "$work/server.log")"

step "the unpacked library"
libdir="$(dirname -- "$(find "$root" -name libtickpipe.so)")"
LD_LIBRARY_PATH="$libdir" check_consumers "$root/usr" "$libdir"
