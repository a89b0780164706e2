#!/usr/bin/env bash
# `make test`: every check, then one summary line.
set -uo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test || exit 1
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
passed=0 failed=0 skipped=0 broken=()

step() { # step NAME COMMAND…: a check that counts as one
  local name=$1 start=$SECONDS; shift
  if "$@" >"$log/step" 2>&1; then
    passed=$((passed + 1)); echo "ok      $name ($((SECONDS - start)) s)"
  else
    failed=$((failed + 1)); broken+=("$name"); echo "FAILED  $name"; tail -n 60 "$log/step"
  fi
}

tests() { # tests NAME COMMAND…: a test runner whose own counts are summed
  local name=$1 start=$SECONDS; shift
  "$@" 2>&1 | tee "$log/tests" | grep -E '^(test .*(FAILED|ignored)|test result|failures:|error|---- |thread .* panicked|skipped:)' | grep -v '^test result: ok. 0 passed'
  local status=${PIPESTATUS[0]} p f i
  read -r p f i < <(awk '/^test result:/ { p += $4; f += $6; i += $8 } END { print p + 0, f + 0, i + 0 }' "$log/tests")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + i))
  if [ "$status" -ne 0 ]; then
    [ "$f" -eq 0 ] && failed=$((failed + 1))
    broken+=("$name"); grep -A 40 -E '^(failures:|error)' "$log/tests" | head -n 200
  fi
  echo "done    $name: $p passed, $f failed, $i ignored ($((SECONDS - start)) s)"
}

export RUSTDOCFLAGS="-D warnings"
step "format" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets --all-features -- -D warnings
tests "tests" cargo test --workspace --all-features --no-fail-fast
step "docs" cargo doc --workspace --no-deps --all-features
step "benches build" cargo check --workspace --benches
step "README: make demo" scripts/readme.sh
if scripts/collector.sh >"$log/collector" 2>&1; then
  passed=$((passed + 1)); echo "ok      traces at a real collector"
elif [ $? -eq 77 ]; then
  skipped=$((skipped + 1)); echo "skipped traces at a real collector: $(grep ^skipped: "$log/collector" | cut -d' ' -f2-)"
else
  failed=$((failed + 1)); broken+=("traces at a real collector"); echo "FAILED  traces at a real collector"; tail -n 60 "$log/collector"
fi
judges=${CARDAN_JUDGES:-../shared/judges}
if [ -d "$judges/sgd" ]; then
  step "dialogues (a tenth)" env DIALOGUES=0.1 CARDAN_BIN="${CARGO_TARGET_DIR:-target}/debug/cardan" CARDAN_JUDGES="$judges" python3 -B scripts/dialogues
else
  skipped=$((skipped + 1)); echo "skipped dialogues (a tenth): the data is not there (CARDAN_JUDGES)"
fi
echo
[ ${#broken[@]} -eq 0 ] || printf 'failed: %s\n' "${broken[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
