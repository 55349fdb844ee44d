#!/usr/bin/env bash
# Draws the pictures of this directory anew, from the screens as they are.
set -euo pipefail
cd "$(dirname "$0")/../.."
STAFFETTA_PICTURES=write cargo test -p staffetta --bins picture
