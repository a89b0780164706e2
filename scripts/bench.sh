#!/usr/bin/env bash
# Every benchmark, one after the other, on an otherwise quiet machine.
set -euo pipefail
cd "$(dirname "$0")/.."
# What the guard is held against in Node; without npm, or without a registry, the bench prints what was noted and why.
if command -v npm >/dev/null; then
  npm ci --prefix bench/node --no-audit --no-fund --loglevel=error || echo "bench: npm ci failed; going on without" >&2
fi
for bench in $(sed -n 's/^name = "\(.*\)"$/\1/p' bench/Cargo.toml | tail -n +2); do
  echo "== $bench"
  cargo bench --quiet --package bench --bench "$bench"
done
