#!/usr/bin/env bash
# `make collector`: installs a real collector and a foreign decoder beside the build, and shows them traces.
# Ends with 77, and says why, where they cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
venv=$target/collector wanted=scripts/collector/requirements.txt
if ! cmp -s $wanted "$venv/installed"; then
  rm -rf "$venv"
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check -r $wanted; } >&2; then
    echo "skipped: the packages of $wanted cannot be installed here"
    exit 77
  fi
  cp $wanted "$venv/installed"
fi
CARDAN_BIN=${CARDAN_BIN:-$target/debug/cardan} exec "$venv/bin/python" -B scripts/collector
