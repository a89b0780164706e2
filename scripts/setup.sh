#!/usr/bin/env bash
# Installs what is missing on a Debian machine that has a Rust toolchain.
#   setup.sh build   a C compiler (SQLite and the crypto library are compiled), curl
#   setup.sh test    the real servers that tests talk to
set -euo pipefail

missing=()
need() { # need PROGRAM PACKAGE
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null || ls /usr/lib/postgresql/*/bin/"$1" >/dev/null 2>&1 || missing+=("$2")
}

command -v cargo >/dev/null || { echo "setup: a Rust toolchain is needed: cargo was not found on PATH" >&2; exit 1; }
need cc build-essential
need make build-essential
need curl curl
if [ "${1:-build}" = test ]; then
  need redis-server redis-server
  need initdb postgresql
  need sqlite3 sqlite3
  need openssl openssl
  need python3 python3
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  case "$(PATH="$PATH:/sbin" ldconfig -p)" in *libpython3.*) ;; *) missing+=(libpython3-dev) ;; esac
fi
[ ${#missing[@]} -eq 0 ] && exit 0

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
echo "setup: installing ${missing[*]}"
# Packages must not start their daemons: tests start their own, in their own folders, on free loopback ports.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
  as_root chmod +x $policy
  trap 'as_root rm -f $policy' EXIT
fi
as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
