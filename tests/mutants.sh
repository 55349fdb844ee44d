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

# Mutants are made in a copy; what is built there is kept, so that the next run begins at once.
out=target/mutants tree=target/mutants/tree
mkdir -p "$tree"
find "$out" -mindepth 1 -maxdepth 1 ! -name tree -exec rm -rf {} +
find "$tree" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
git ls-files -z | xargs -0 cp --parents -t "$tree"
begun=$SECONDS

# A mutant differs from the last by one expression.
export CARGO_INCREMENTAL=1
# What a few random cases do not find is to be found by a test that means it.
export PROPTEST_CASES=32

# mutate NAME SECONDS FEATURES TESTS FILE...: TESTS, if any, are the module whose tests are run.
mutate() {
  local name=$1 seconds=$2 features=$3 only=() files=()
  [[ -z $4 ]] || only=("$4")
  shift 4
  (($# && seconds > 0)) || return 0
  for file in "$@"; do files+=(--file "$file"); done
  # Found, timed out and cut off are all results.
  timeout --foreground -s INT "$seconds" cargo mutants --dir "$tree" --in-place --package staffetta-protocol \
    "${files[@]}" --features "$features" --config protocol/mutants.toml --shuffle --test-tool cargo \
    --output "$out/$name" --minimum-test-timeout 60 --colors never -- --lib "${only[@]}" || true
}
# One of a device's mutants takes ten times as long as one of the others, of which there are seven
# times as many: half the time for each is about the same share of both.
total=$((minutes * 60))
mutate core $((${#member[@]} ? total / 2 : total)) '' '' "${core[@]}"
mutate member $((total - (SECONDS - begun))) member member::roster "${member[@]}"

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
