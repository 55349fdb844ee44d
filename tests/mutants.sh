#!/usr/bin/env bash
# Mutates what reads strangers' bytes (wire, gate, Noise, cells, sessions, codes, the roster's rules),
# runs the tests of its package on each mutant, and prints how many were killed. The order is random: a
# run that ends by its time is a sample. What is left out, and why, stands in protocol/mutants.toml.
# Wants cargo-mutants.
#
# usage: tests/mutants.sh MINUTES [FILE ...]; files as in protocol/src/gate.rs, globs too
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

minutes=${1:?usage: tests/mutants.sh MINUTES [FILE ...]}
shift
if ! cargo mutants --version >/dev/null 2>&1; then
  echo "skipped: cargo-mutants is not there (cargo install cargo-mutants)"
  exit 0
fi
core=('protocol/src/wire/**/*.rs' protocol/src/gate.rs 'protocol/src/noise/*.rs' 'protocol/src/cell/*.rs'
  'protocol/src/session/*.rs' 'protocol/src/invite_code/*.rs')
member=(protocol/src/member/roster/rules.rs protocol/src/member/roster/chain.rs)
if (($#)); then
  core=() member=()
  for file in "$@"; do
    case $file in */member/*) member+=("$file") ;; *) core+=("$file") ;; esac
  done
fi

out=target/mutants
rm -rf "$out"
mkdir -p "$out"
begun=$SECONDS

# Nobody looks into a mutant with a debugger, and each differs from the last by one expression.
export CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=1
# What a few random cases do not find is to be found by a test that means it.
export PROPTEST_CASES=32

# mutate NAME FEATURES TESTS FILE...: what is left of the time is this run's; TESTS, if any, are the
# module whose tests are run.
mutate() {
  local name=$1 features=$2 only=() files=() left
  [[ -z $3 ]] || only=("$3")
  shift 3
  (($#)) || return 0
  for file in "$@"; do files+=(--file "$file"); done
  left=$((minutes * 60 - (SECONDS - begun)))
  ((left > 0)) || return 0
  # Found, timed out and cut off are all results.
  timeout --foreground -s INT "$left" cargo mutants --package staffetta-protocol "${files[@]}" \
    --features "$features" --config protocol/mutants.toml --shuffle --test-tool cargo \
    --output "$out/$name" --minimum-test-timeout 60 --colors never -- --lib "${only[@]}" || true
}
mutate core '' '' "${core[@]}"
mutate member member member::roster "${member[@]}"

count() { cat "$out"/*/mutants.out/"$1".txt 2>/dev/null | grep -c . || true; }
caught=$(count caught) missed=$(count missed) timeout=$(count timeout) unviable=$(count unviable)
if ((caught + missed + timeout == 0)); then
  echo "no mutant was tried in $minutes minutes"
  exit 1
fi
cat "$out"/*/mutants.out/missed.txt 2>/dev/null || true
listed=$(cat "$out"/*/mutants.out/mutants.json 2>/dev/null | grep -c '"genre":' || true)
awk -v listed="$listed" -v killed=$((caught + timeout)) -v missed="$missed" -v unviable="$unviable" 'BEGIN {
  printf "killed: %.1f %% (%d of %d; %d more did not compile; %d listed)\n", 100 * killed / (killed + missed),
    killed, killed + missed, unviable, listed }'
