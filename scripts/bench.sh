#!/usr/bin/env bash
# Every benchmark, one after the other, on an otherwise quiet machine.
set -euo pipefail
cd "$(dirname "$0")/.."
for bench in $(sed -n 's/^name = "\(.*\)"$/\1/p' bench/Cargo.toml | tail -n +2); do
  echo "== $bench"
  cargo bench --quiet --package bench --bench "$bench"
done
