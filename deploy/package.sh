#!/bin/sh
# Builds the Debian packages of relay and client, with completions and manuals.
#
# usage: deploy/package.sh [--parts CLIENT RELAY OUT]
# With --parts only completions and manuals are made, of these two programs, in the directory OUT.
set -eu

# parts NAME PROGRAM: its completions and manual, in a directory of its own
parts() {
    mkdir -p "$out/$1/man"
    "$2" man "$out/$1/man"
    "$2" completions bash > "$out/$1/$1.bash"
    "$2" completions zsh > "$out/$1/_$1"
    "$2" completions fish > "$out/$1/$1.fish"
}

if [ "${1:-}" = --parts ]; then
    out=$4
    parts staffetta "$2"
    parts staffetta-relay "$3"
    exit
fi
cd "$(dirname "$0")/.."
command -v cargo-deb >/dev/null || { echo "cargo-deb is missing: cargo install cargo-deb" >&2; exit 1; }
cargo build --release --locked -p staffetta-relay
cargo build --release --locked -p staffetta
out=target/package
rm -rf "$out"
parts staffetta target/release/staffetta
parts staffetta-relay target/release/staffetta-relay
cargo deb --no-build --locked -p staffetta
cargo deb --no-build --locked -p staffetta-relay
