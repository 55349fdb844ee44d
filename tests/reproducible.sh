#!/usr/bin/env bash
# Builds the relay twice from the committed source, in two directories of different names and lengths,
# and compares the programs bit for bit. What somebody else builds with the same toolchain, target and
# commit by `tests/reproducible.sh --build DIR` is the same as well.
#
# usage: tests/reproducible.sh            twice, and compare
#        tests/reproducible.sh --build DIR  once, into DIR/staffetta-relay
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# build SOURCE: no path of this machine, no time, no environment gets in.
build() {
  local source=$1 home=${CARGO_HOME:-$HOME/.cargo} sysroot
  sysroot=$(rustc --print sysroot)
  (
    cd "$source"
    export CARGO_TARGET_DIR=$source/target CARGO_INCREMENTAL=0 TZ=UTC LC_ALL=C
    SOURCE_DATE_EPOCH=$(cat "$source/.epoch")
    export SOURCE_DATE_EPOCH
    export RUSTFLAGS="--remap-path-prefix=$source=/staffetta --remap-path-prefix=$home=/cargo --remap-path-prefix=$sysroot=/rust"
    export CFLAGS="-ffile-prefix-map=$source=/staffetta -ffile-prefix-map=$home=/cargo"
    cargo build --locked --release --quiet -p staffetta-relay
  )
}

# fetch DIR: the committed source, and when it was committed.
fetch() {
  mkdir -p "$1"
  git archive HEAD | tar -x -C "$1"
  git log -1 --format=%ct >"$1/.epoch"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rustc --version --verbose | grep -E '^(rustc|host)'
if [[ ${1:-} == --build ]]; then
  to=${2:?usage: tests/reproducible.sh --build DIR}
  fetch "$work/source"
  build "$work/source"
  mkdir -p "$to"
  cp "$work/source/target/release/staffetta-relay" "$to/"
  sha256sum "$to/staffetta-relay"
  exit 0
fi
for place in "$work/a" "$work/a-second-and-much-longer-directory/of/another/name"; do
  fetch "$place"
  build "$place"
  sha256sum "$place/target/release/staffetta-relay" | tee -a "$work/sums" | cut -d' ' -f1
  cp "$place/target/release/staffetta-relay" "$work/relay-$(wc -l <"$work/sums")"
  rm -rf "$place"
done
if cmp "$work/relay-1" "$work/relay-2"; then
  echo "equal, bit for bit"
else
  echo "the two differ" >&2
  exit 1
fi
