#!/usr/bin/env bash
# `make adapter`: adds an adapter to a copy of this repository, as CONTRIBUTING says, and runs the conformance suite over it.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
"$copy/scripts/adapter.sh" carrier_pigeon
cd "$copy"
cargo fmt -p adapters
cargo clippy -p adapters --all-targets -- -D warnings
cargo test -p adapters --test it conformance
