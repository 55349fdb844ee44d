#!/usr/bin/env bash
# Runs the models of this directory with Verifpal, if it is there, and compares each verdict with the
# one that the model's first line expects. VERIFPAL names the program; without it, that of the PATH.
# Usage: run.sh [MODEL.vp ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

verifpal=${VERIFPAL:-verifpal}
if ! command -v "$verifpal" >/dev/null; then
  echo "skipped: verifpal is not there (cargo install verifpal)"
  exit 0
fi
"$verifpal" --version

if (($# == 0)); then set -- *.vp; fi
failed=0
for model in "$@"; do
  expected=$(sed -n '1s|^// Expected: ||p' "$model")
  found=$("$verifpal" verify "$model" --result-code --quiet | tail -n 1)
  if [[ -n $expected && $found == "$expected" ]]; then
    printf '%-32s %s\n' "$model" "$found"
  else
    printf '%-32s %s, expected %s\n' "$model" "$found" "$expected"
    failed=1
  fi
done
exit "$failed"
