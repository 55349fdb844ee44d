#!/bin/sh
# Builds the Debian packages of relay and client, with completions and manuals.
set -eu
cd "$(dirname "$0")/.."
command -v cargo-deb >/dev/null || { echo "cargo-deb is missing: cargo install cargo-deb" >&2; exit 1; }
cargo build --release --locked -p staffetta -p staffetta-relay
out=target/package
rm -rf "$out"
mkdir -p "$out/completions" "$out/man"
client=target/release/staffetta
"$client" man "$out/man"
"$client" completions bash > "$out/completions/staffetta.bash"
"$client" completions zsh > "$out/completions/_staffetta"
"$client" completions fish > "$out/completions/staffetta.fish"
cargo deb --no-build --locked -p staffetta
cargo deb --no-build --locked -p staffetta-relay
