#!/usr/bin/env bash
# Measures the figures of SECURITY.md's appendix on this machine and writes the table there. Every
# line is what a program printed; a figure that was not measured says so.
#
# usage: tests/scoreboard.sh [--quick] [--print] [--kills N] [--cuts N] [--full-disks N]
#        [--sim-seconds N] [--flood-seconds N] [--fuzz-seconds N] [--mutants-minutes N] [ROW ...]
#
# --quick takes small numbers (some ten minutes), --print leaves SECURITY.md as it is. With rows
# (durability, simulation, clocks, seizure, wire, refusal, flood, revoke, relay, invites, fuzz, mutants)
# only those are measured. fuzz and mutants want cargo-fuzz with nightly and cargo-mutants.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kills=1000 cuts=200 full_disks=50 sim=600 flood=10 fuzz=600 mutants=120 print=0 rows=()
while (($#)); do
  case $1 in
    --quick) kills=20 cuts=20 full_disks=3 sim=20 flood=3 fuzz=10 mutants=5 ;;
    --print) print=1 ;;
    --kills) kills=$2; shift ;;
    --cuts) cuts=$2; shift ;;
    --full-disks) full_disks=$2; shift ;;
    --sim-seconds) sim=$2; shift ;;
    --flood-seconds) flood=$2; shift ;;
    --fuzz-seconds) fuzz=$2; shift ;;
    --mutants-minutes) mutants=$2; shift ;;
    -*) echo "unknown option $1" >&2; exit 64 ;;
    *) rows+=("$1") ;;
  esac
  shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
table=$work/table
: >"$table"
failed=0

wanted() { [[ ${#rows[@]} -eq 0 || " ${rows[*]} " == *" $1 "* ]]; }

# row FIGURE TARGET met|short|FAILED|'not measured' RESULT COMMAND
row() {
  local result=${4//|/\/}
  printf '| %s | %s | %s | %s | `%s` |\n' "$1" "$2" "$3" "$result" "$5" | tee -a "$table"
  [[ $3 != FAILED ]] || failed=1
}

# run COMMAND...: its output goes to $work/log; fails as the command does.
run() { echo "-- $*" >&2; "$@" >"$work/log" 2>&1 || { local code=$?; tail -n 15 "$work/log" >&2; return "$code"; }; }

# The last line of the log that matches.
said() { grep -E "$1" "$work/log" | tail -n 1 | sed 's/^ *//'; }

# verdict TEST: met or short, by arithmetic.
verdict() { awk "BEGIN { exit !($1) }" && echo met || echo short; }

program() { printf 'cargo run --release -p staffetta-tests --bin %s --' "$1"; }

# measure FIGURE TARGET PATTERN TEST COMMAND...: TEST is arithmetic over N, the last number of what
# the pattern matches.
measure() {
  local figure=$1 target=$2 pattern=$3 test=$4 line number
  shift 4
  if ! run "$@"; then
    local state=FAILED
    ! grep -q 'no bin target' "$work/log" || state='not measured'
    row "$figure" "$target" "$state" "$(tail -n 1 "$work/log")" "$*"
    return
  fi
  line=$(said "$pattern") || line=
  if [[ -z $line ]]; then
    row "$figure" "$target" 'not measured' "$(tail -n 1 "$work/log")" "$*"
    return
  fi
  number=$(grep -oE "$pattern" <<<"$line" | grep -oE '[0-9]+(\.[0-9]+)?' | tail -n 1)
  row "$figure" "$target" "$(verdict "${test//N/${number:-0}}")" "$line" "$*"
}

# tests FIGURE TARGET RESULT PACKAGE[:FEATURES] NAME...: the named tests are run and all pass.
tests() {
  local figure=$1 target=$2 result=$3 package=${4%%:*} features=() passed=0 name
  [[ $4 != *:* ]] || features=(--features "${4#*:}")
  shift 4
  local command=(cargo test --locked -p "$package" "${features[@]}" -- "$@")
  run "${command[@]}" || true
  for name in "$@"; do
    if grep -qE "^test (.*::)?$name \.\.\. ok" "$work/log"; then passed=$((passed + 1)); fi
  done
  if ((passed == $#)); then
    row "$figure" "$target" met "$result: $passed of $# tests pass" "${command[*]}"
  else
    row "$figure" "$target" FAILED "$passed of $# tests pass" "${command[*]}"
  fi
}

cargo build --locked --release --quiet -p staffetta-relay
cargo build --locked --release --quiet -p staffetta-tests --bins

if wanted durability; then
  measure 'kill -9 of the relay, with 0 lost, 0 duplicated, 0 reordered' '>= 1000' 'kill -9: [0-9]+' 'N >= 1000' \
    $(program campaign) kill --rounds "$kills"
  measure 'simulated power cuts, 0 lost' '>= 200' 'power cuts: [0-9]+' 'N >= 200' $(program campaign) power --rounds "$cuts"
  measure 'full disks, 0 lost' '>= 50' 'full disks.*: [0-9]+' 'N >= 50' $(program campaign) full --rounds "$full_disks"
  tests 'kill -9 of clients in mid burst' '0 / 0 / 0' 'nothing lost, doubled or out of order' staffetta-tests \
    killing_the_sender_in_mid_burst_loses_nothing_and_repeats_nothing \
    killing_the_receiver_in_mid_burst_loses_nothing_and_repeats_nothing \
    breaking_every_connection_in_mid_burst_loses_nothing_and_repeats_nothing
fi
if wanted clocks; then
  tests 'clock jumps' '>= 20' 'nothing expires, nothing lost' staffetta-relay clock_jumps_of_ten_years_do_not_move_it \
    clock_jumps_of_ten_years_expire_nothing_and_lose_no_cells clock_jumps_of_ten_years_end_no_invite_for_good_and_bring_none_back
fi
if wanted simulation; then
  measure 'simulated seeds, all invariants held' '>= 100000 over time' '[0-9]+ seeds' 'N >= 100000' $(program sim) --seconds "$sim"
fi
if wanted seizure; then
  tests 'planted text, names, rooms, keys, addresses on a seized relay' 0 'none found' staffetta-tests \
    a_seized_relay_holds_no_text_name_room_label_or_key
fi
if wanted wire; then
  tests 'frame sizes on the wire' '<= 4' 'four' staffetta-protocol every_frame_has_one_of_at_most_four_sizes
  tests 'a stranger beside a plain web server' 'equal bytes' 'equal' staffetta-tests exactly_the_404_of_a_plain_web_server
fi
if wanted refusal; then
  measure 'cost of refusing, Noise over gate' '>= 100 x' '[0-9]+x a wrong MAC' 'N >= 100' $(program flood) REFUSAL
fi
if wanted flood; then
  if run $(program flood) FLOOD --seconds "$flood"; then
    # The worst of the attacks that stand between the phases idle and after.
    worst=$(grep -oE '[0-9.]+x idle' "$work/log" | sort -g | tail -n 1)
    lost=$(grep -oE '[0-9]+/[0-9]+ ACKs' "$work/log" | awk -F'[/ ]' '$1 != $2' | wc -l)
    state=$(verdict "${worst%%x*} <= 5 && $lost == 0")
    row 'enrolled sender under a flood: acknowledged; p99' '100 %; <= 5 x idle' "$state" \
      "$lost phases with an unanswered PUT; at worst $worst" "$(program flood) FLOOD --seconds $flood"
  else
    row 'enrolled sender under a flood' '100 %; <= 5 x idle' FAILED "$(tail -n 1 "$work/log")" "$(program flood) FLOOD"
  fi
fi
if wanted revoke; then
  tests 'revoked: cut, and cells readable afterwards' '< 1 s; 0' 'within a second; none' staffetta-relay \
    a_revoked_devices_sockets_close_within_a_second_and_no_key_it_had_works_again
  tests 'revoked: cells readable afterwards' 0 none staffetta-protocol:member a_revoked_device_is_cut_and_reads_nothing_afterwards
fi
if wanted relay; then
  tests 'hostile moves of a relay that are noticed' all 'rewriting, an older log, altered cells' staffetta-protocol:member \
    a_relay_that_rewrites_what_it_has_shown_is_noticed a_log_id_or_a_head_below_ones_own_stops_the_device \
    known_tag_and_nonce_with_another_body_raises_the_relay_alarm the_first_message_across_a_fork_shows_it_by_name
fi
if wanted invites; then
  tests 'intercepted invites that reached a Welcome' 0 none staffetta-protocol:member \
    a_thief_of_the_code_cannot_draw_a_newcomer_into_a_team_of_his_own a_wrong_word_lets_nobody_in_and_burns_nothing
fi
if wanted fuzz; then
  measure 'malformed inputs tried, 0 panics' '>= 10^8' 'in all: [0-9]+' 'N >= 100000000' tests/fuzz.sh "$fuzz"
fi
if wanted mutants; then
  measure 'mutants killed in `protocol`' '>= 90 %' 'killed: [0-9.]+ %' 'N >= 90' tests/mutants.sh "$mutants"
fi

# --- the table ----------------------------------------------------------------------------------
begin='<!-- scoreboard: written by tests/scoreboard.sh -->' end='<!-- end of the scoreboard -->'
{
  echo "$begin"
  echo
  printf 'Measured %s at commit %s' "$(date -u +%Y-%m-%d)" "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
  printf ', on %s cores (%s), %s GiB of memory, %s, load %s at the end.\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
    "$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" \
    "$(uname -s), $(rustc --version | cut -d' ' -f1,2)" "$(cut -d' ' -f1 /proc/loadavg)"
  echo
  echo '| figure | target | | measured | command |'
  echo '|---|---|---|---|---|'
  cat "$table"
  echo
  echo "$end"
} >"$work/new"
if ((print)); then
  cat "$work/new"
else
  awk -v new="$work/new" -v begin="$begin" -v end="$end" '
    $0 == begin { while ((getline line < new) > 0) print line; inside = 1 }
    !inside { print }
    $0 == end { inside = 0 }' SECURITY.md >"$work/page"
  cat "$work/page" >SECURITY.md
fi
exit "$failed"
