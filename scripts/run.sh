#!/usr/bin/env bash
# Builds Cardan, starts it beside the simulated business systems, plays the story, and stays up (unless --once).
set -euo pipefail
cd "$(dirname "$0")/.."
once=${1:-}
: "${CARDAN_PORT:=8080}" "${CARDAN_SIM_PORT:=7101}"
home=.run
rm -rf $home && mkdir -p $home/data

echo "building (release)…"
cargo build --release --quiet --package app --bin cardan
cardan="${CARGO_TARGET_DIR:-target}/release/cardan"

# The example as it stands, with this run's ports and data folder.
mkdir -p $home/pizza-orders
for file in examples/pizza-orders/*.yaml; do
  sed -e "s#127.0.0.1:8080#127.0.0.1:$CARDAN_PORT#; s#127.0.0.1:7101#127.0.0.1:$CARDAN_SIM_PORT#; s#sqlite:data/#sqlite:$home/data/#" \
    "$file" >"$home/pizza-orders/$(basename "$file")"
done

pids=()
stop() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; }
trap stop EXIT INT TERM

"$cardan" simulate --listen "127.0.0.1:$CARDAN_SIM_PORT" >$home/simulate.log 2>&1 & pids+=($!)
"$cardan" serve $home/pizza-orders/cardan.yaml >$home/serve.log 2>&1 & pids+=($!)
await() { # await NAME URL LOG
  for _ in $(seq 200); do curl -fsS -o /dev/null "$2" 2>/dev/null && return; sleep 0.05; done
  echo "$1 did not start:" >&2; tail -n 20 "$3" >&2; exit 1
}
await "the simulator" "http://127.0.0.1:$CARDAN_SIM_PORT/_sim/state" $home/simulate.log
await "cardan" "http://127.0.0.1:$CARDAN_PORT/ready" $home/serve.log

export CARDAN_URL="http://127.0.0.1:$CARDAN_PORT"
for story in paid refused; do
  "$cardan" play "$home/pizza-orders/$story.yaml" --systems "http://127.0.0.1:$CARDAN_SIM_PORT"
  echo
done

[ "$once" = --once ] && exit 0
cat <<END
Cardan is up at $CARDAN_URL, the simulated systems at http://127.0.0.1:$CARDAN_SIM_PORT. Try:

  curl -s $CARDAN_URL/conversation/conv_ada
  $cardan flow list --url $CARDAN_URL
  curl -s $CARDAN_URL/metrics | grep integration_requests_total

Ctrl-C stops both.
END
wait
