#!/usr/bin/env bash
# Fuzzes every target of protocol/fuzz/ for some seconds, where cargo-fuzz and a nightly toolchain are
# there, and prints executions and findings. No sanitizer: there is no unsafe code of ours, and without
# one it is several times faster; overflows and assertions are checked.
#
# usage: tests/fuzz.sh [--until EXECUTIONS] SECONDS [TARGET ...]
#
# With --until the targets take turns of so many seconds, each one at least, until there are that many in all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

until=0
if [[ ${1:-} == --until ]]; then
  until=$2
  shift 2
fi
seconds=${1:?usage: tests/fuzz.sh [--until EXECUTIONS] SECONDS [TARGET ...]}
shift
if ! cargo fuzz --version >/dev/null 2>&1 || ! cargo +nightly --version >/dev/null 2>&1; then
  echo "skipped: cargo-fuzz or a nightly toolchain is not there (cargo install cargo-fuzz)"
  exit 0
fi
if (($# == 0)); then
  for target in protocol/fuzz/fuzz_targets/*.rs; do set -- "$@" "$(basename "$target" .rs)"; done
fi

python3 protocol/fuzz/seeds.py
# The configuration's target writes a file for each input.
if [[ -d /dev/shm ]]; then export TMPDIR=/dev/shm; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
all=0 findings=0 turn=0
declare -A each=()
cargo +nightly fuzz build --fuzz-dir protocol/fuzz -s none
while ((turn < $# || all < until && findings == 0)); do
  target=${@:turn % $# + 1:1}
  turn=$((turn + 1))
  mkdir -p "protocol/fuzz/corpus/$target"
  found=0
  cargo +nightly fuzz run --fuzz-dir protocol/fuzz -s none "$target" -- \
    -max_total_time="$seconds" -max_len=16384 -rss_limit_mb=1024 -print_final_stats=1 >"$log" 2>&1 || found=1
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
  if ((found)); then tail -n 40 "$log"; fi
  echo "$target: ${executions:-0} executions, $found findings"
  all=$((all + ${executions:-0})) findings=$((findings + found))
  each[$target]=$((${each[$target]:-0} + ${executions:-0}))
done
list=''
for target in "$@"; do list+=", $target ${each[$target]}"; done
echo "in all: $all executions of $# targets, $findings findings (${list:2})"
((findings == 0))
