#!/usr/bin/env bash
# Runs what README.md tells a newcomer to run, and checks that it says what README.md shows.
set -euo pipefail
cd "$(dirname "$0")/.."
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || shuf -i 20000-30000 -n 1; }
export CARDAN_PORT; CARDAN_PORT=$(free)
export CARDAN_SIM_PORT; CARDAN_SIM_PORT=$(free)
told=$(make --silent demo | grep -v '^building')
echo "$told"

# Durations differ from run to run; everything else is as README.md has it.
steady() { sed -E 's/[0-9]+(\.[0-9]+)? (ms|s)\b/N/g; s/ +/ /g; s/ $//'; }
shown=$(sed -n '/^```text demo$/,/^```$/p' README.md | sed '1d;$d')
diff <(steady <<<"$shown") <(steady <<<"$told")
