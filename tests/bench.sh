#!/usr/bin/env bash
# Measures the relay (`load`), its store beside a plain file, small steps (`micro`), rooms (`rooms`)
# and, if they can be had, NATS JetStream and mosquitto in turn on the same machine in one run, and
# prints ratios.
#
# usage: tests/bench.sh [--seconds N] [--peers DIR] [--dir DIR]
#
# --peers names a directory whose `run.sh WORKDIR` measures the peers under the same workloads and
# leaves one JSON line a result in WORKDIR/results.jsonl ("peer", "work", "value", "p99_us",
# "server_us_per_op"); without it, or without nats-server and mosquitto, only the relay is measured.
# --dir is where data stand: on a disk, not in memory. Neither peer syncs before it acknowledges; the
# relay does. Take figures on an idle machine, three runs at least.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=5 peers='' dir=$PWD/target/bench
while (($#)); do
  case $1 in
    --seconds) seconds=$2 ;;
    --peers) peers=$2 ;;
    --dir) dir=$2 ;;
    *) echo "unknown option $1" >&2; exit 64 ;;
  esac
  shift 2
done
mkdir -p "$dir"
# Tests run in their package's directory.
dir=$(realpath "$dir")
ours=$dir/ours.txt
PATH=$PATH:/usr/sbin

cargo build --locked --release --quiet -p staffetta-relay
cargo build --locked --release --quiet -p staffetta-tests --bins
# The store is the relay's own and nobody else's: what measures it stands among its tests.
store=(cargo test --locked --release --quiet -p staffetta-relay --bin staffetta-relay)
"${store[@]}" --no-run
echo "$(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
target/release/load --seconds "$seconds" --dir "$dir" | tee "$ours"

if [[ -z $peers ]] || ! command -v nats-server >/dev/null || ! command -v mosquitto >/dev/null; then
  echo "peers: skipped (--peers DIR is wanted, and apt-get install --no-install-recommends nats-server mosquitto)"
else
  "$peers/run.sh" --no-limits "$dir/peers"
  # Ours again: what changed meanwhile shows as the distance between the two.
  target/release/load --seconds "$seconds" --dir "$dir" | tee -a "$ours"
  echo
  echo 'ours / peer (ours syncs before each acknowledgement, the peers do not)'
  awk -v results="$dir/peers/results.jsonl" '
    function field(line, name,   rest) {
      if (!match(line, "\"" name "\":[0-9.]+")) return ""
      rest = substr(line, RSTART, RLENGTH)
      sub(/^.*:/, "", rest)
      return rest
    }
    function best(work, value, more) {
      if (!(work in ours) || (more ? value > ours[work] : value < ours[work])) ours[work] = value
    }
    BEGIN {
      while ((getline line < results) > 0) {
        if (!match(line, /"peer":"[a-z]+"/)) continue
        peer = substr(line, RSTART + 8, RLENGTH - 9)
        match(line, /"work":"[a-z0-9]+"/)
        work = substr(line, RSTART + 8, RLENGTH - 9)
        theirs[peer, work] = field(line, "value")
        theirs[peer, work "_p99"] = field(line, "p99_us") / 1000
        theirs[peer, work "_cpu"] = field(line, "server_us_per_op")
      }
    }
    # The number before a unit.
    function before(unit,   text) {
      if (!match($0, "[0-9.]+ " unit)) return 0
      text = substr($0, RSTART, RLENGTH)
      return text + 0
    }
    # With so many cells a PUT.
    /^W1 saturated/ {
      cells = "/" before("cells a PUT")
      best("w1sat" cells, before("deliveries/s"), 1)
      best("w1sat_cpu" cells, before("us relay CPU"), 0)
    }
    /^W1 at/ { match($0, /p99 [0-9.]+/); best("w1rate_p99", substr($0, RSTART + 4) + 0, 0) }
    /^W2 64/ { best("w2", before("durable ACKs/s"), 1) }
    /^W2 256/ { best("w2/256", before("durable ACKs/s"), 1) }
    /^W3/ { best("w3", before("cells/s"), 1) }
    /^W4/ { best("w4", before("kB each"), 0) }
    END {
      sizes = "w1sat/1 w1sat/4 w1sat/8 w1sat/60 w1sat_cpu/1 w1sat_cpu/4 w1sat_cpu/8 w1sat_cpu/60"
      split(sizes " w1rate_p99 w2 w2/256 w3 w4", works, " ")
      for (at = 1; at in works; at++) {
        work = works[at]
        same = work
        sub("/.*", "", same)
        printf "%-12s ours %12.2f", work, ours[work]
        split("natsjs mqtt", names, " ")
        for (nth = 1; nth in names; nth++) {
          value = theirs[names[nth], same]
          if (value > 0) printf "   %s %12.2f, ratio %5.2f", names[nth], value, ours[work] / value
        }
        print ""
      }
    }' "$ours"
fi

TMPDIR=$dir "${store[@]}" -- --ignored --nocapture what_appends_and_reads_take | grep '^store:'
target/release/micro
target/release/rooms
