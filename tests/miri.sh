#!/usr/bin/env bash
# Runs the tests of what reads strangers' bytes without big dependencies (frames, cells, codes, rows, the
# gate), and the vectors of these, under Miri, which finds undefined behaviour in what they link. Left out
# are those that only repeat the same steps some hundred times. Wants nightly with Miri.
#
# usage: tests/miri.sh [TEST ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! cargo +nightly miri --version >/dev/null 2>&1; then
  echo "skipped: Miri is not there (rustup +nightly component add miri)"
  exit 0
fi
if (($# == 0)); then
  set -- cell::tests::a_ cell::tests::nobody gate::tests::a_ gate::tests::anything gate::tests::handles \
    invite_code::tests::a_code invite_code::tests::look invite_code::tests::no_ invite_code::tests::the_host \
    tests::cells::fragments tests::frames tests::hop::gate_tokens tests::rows wire::frame::tests::a_ \
    wire::frame::tests::more wire::frame::tests::random wire::frame::tests::reserved wire::running_hash
fi
export MIRIFLAGS='-Zmiri-disable-isolation' PROPTEST_CASES=4
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo +nightly miri test --locked -p staffetta-protocol --lib -- "$@" 2>&1 | tee "$log"
# A name that fits no test any more would pass for nothing found.
for name in "$@"; do
  grep -qE "^test .*$name" "$log" || { echo "no test is called $name" >&2; exit 1; }
done
passed=$(grep -oE '[0-9]+ passed' "$log" | awk '{ all += $1 } END { print all + 0 }')
echo "miri: $passed tests without a finding"
