#!/usr/bin/env bash
# Runs the tests of what reads strangers' bytes without big dependencies (frames, cells, codes, the
# gate) under Miri, which finds undefined behaviour in what they link. Wants nightly with Miri.
#
# usage: tests/miri.sh [TEST ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! cargo +nightly miri --version >/dev/null 2>&1; then
  echo "skipped: Miri is not there (rustup +nightly component add miri)"
  exit 0
fi
if (($# == 0)); then
  set -- wire::codec wire::frame::tests::reserved wire::frame::tests::a_ wire::frame::tests::more invite_code::symbols \
    cell::tests::a_ cell::tests::nobody gate::tests::anything
fi
export MIRIFLAGS='-Zmiri-disable-isolation' PROPTEST_CASES=4
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo +nightly miri test --locked -p staffetta-protocol --lib -- "$@" 2>&1 | tee "$log"
passed=$(grep -oE '[0-9]+ passed' "$log" | awk '{ all += $1 } END { print all + 0 }')
echo "miri: $passed tests without a finding"
