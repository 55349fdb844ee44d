#!/usr/bin/env bash
# Measures the figures of SECURITY.md's appendix on this machine and writes the table there. Whatever
# stands under "measured" is a line that a program printed, or the number of tests that cargo counted.
#
# usage: tests/scoreboard.sh [--quick] [--print] [--kills N] [--cuts N] [--full-disks N]
#        [--sim-seconds N] [--flood-seconds N] [--fuzz-seconds N] [--fuzz-until N] [--mutants-minutes N] [ROW ...]
#
# --quick takes small numbers (some ten minutes), --print leaves SECURITY.md as it is. With rows
# (kills power disks clients clocks simulation seizure wire refusal flood revoke relay invites fuzz
# mutants parsers) only those are measured; the others keep the line they have, with its own time,
# commit and load. fuzz and parsers want nightly, fuzz cargo-fuzz, parsers Miri, mutants cargo-mutants.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kills=1000 cuts=200 full_disks=50 sim=600 flood=10 fuzz=600 fuzz_until=0 mutants=120 print=0 rows=()
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
    --fuzz-until) fuzz_until=$2; shift ;;
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
begin='<!-- scoreboard: written by tests/scoreboard.sh -->' end='<!-- end of the scoreboard -->'
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)

# wanted ROW FIGURE TARGET: whether it is measured now; else its old line is kept, if there is one.
wanted() {
  [[ ${#rows[@]} -ne 0 && " ${rows[*]} " != *" $1 "* ]] || return 0
  grep -F "| $2 | $3 |" SECURITY.md >>"$table" ||
    printf '| %s | %s | not measured | | | |\n' "$2" "$3" >>"$table"
  return 1
}

# row FIGURE TARGET met|short|FAILED|'not measured' RESULT COMMAND
row() {
  local result=${4//|/\/}
  printf '| %s | %s | %s | %s | `%s` | %s, %s, load %s |\n' "$1" "$2" "$3" "$result" "$5" \
    "$(date -u +%Y-%m-%dT%H:%MZ)" "$commit" "$(cut -d' ' -f1 /proc/loadavg)" | tee -a "$table"
  [[ $3 != FAILED ]] || failed=1
}

# run COMMAND...: its output goes to $work/log; fails as the command does.
run() { echo "-- $*" >&2; "$@" >"$work/log" 2>&1 || { local code=$?; tail -n 15 "$work/log" >&2; return "$code"; }; }

# The last line of the log that matches.
said() { grep -E "$1" "$work/log" | tail -n 1 | sed 's/^ *//'; }

# The number at the end of the first thing that matches in a line.
number() { grep -oE "$1" <<<"$2" | head -n 1 | grep -oE '[0-9]+(\.[0-9]+)?' | tail -n 1; }

# verdict TEST: met or short, by arithmetic.
verdict() { awk "BEGIN { exit !($1) }" && echo met || echo short; }

# program NAME ARGUMENT...: a program of tests/, built for the first row that wants one.
built=0
program() {
  if ((!built)); then
    cargo build --locked --release --quiet -p staffetta-relay
    cargo build --locked --release --quiet -p staffetta-tests --bins
    built=1
  fi
  command=(cargo run --locked --release --quiet -p staffetta-tests --bin "$1" -- "${@:2}")
}

# measure FIGURE TARGET PATTERN TEST: runs `command`; TEST is arithmetic over N, the last number of
# what the pattern matches.
measure() {
  local figure=$1 target=$2 pattern=$3 test=$4 line
  if ! run "${command[@]}"; then
    line=$(said "$pattern") || line=$(tail -n 1 "$work/log")
    row "$figure" "$target" FAILED "$line" "${command[*]}"
    return
  fi
  if ! line=$(said "$pattern"); then
    row "$figure" "$target" 'not measured' "$(tail -n 1 "$work/log")" "${command[*]}"
    return
  fi
  row "$figure" "$target" "$(verdict "${test//N/$(number "$pattern" "$line")}")" "$line" "${command[*]}"
}

# tests FIGURE TARGET PACKAGE[:FEATURES] NAME...: the named tests are run and pass, and what they print
# as a figure stands there.
tests() {
  local figure=$1 target=$2 package=${3%%:*} features=() state=FAILED passed told
  [[ $3 != *:* ]] || features=(--features "${3#*:}")
  shift 3
  command=(cargo test --locked -p "$package" "${features[@]}" -- --nocapture "$@")
  ! run "${command[@]}" || state=met
  passed=$({ grep -oE '[0-9]+ passed' "$work/log" || true; } | awk '{ all += $1 } END { print all + 0 }')
  ((passed == $#)) || state=FAILED
  # Not every test has a figure to tell.
  told=$({ grep -oE 'figure: .*' "$work/log" || true; } | sed 's/^figure: //' | sort -u | paste -sd'|' | sed 's/|/; /g')
  row "$figure" "$target" "$state" "$passed of $# tests pass${told:+: $told}" "${command[*]}"
}

figure='kill -9 of the relay, with 0 lost, 0 duplicated, 0 reordered' target='>= 1000'
if wanted kills "$figure" "$target"; then
  program campaign kill --rounds "$kills"
  measure "$figure" "$target" 'kill -9: [0-9]+' 'N >= 1000'
fi
figure='simulated power cuts, 0 lost' target='>= 200'
if wanted power "$figure" "$target"; then
  program campaign power --rounds "$cuts"
  measure "$figure" "$target" 'power cuts: [0-9]+' 'N >= 200'
fi
figure='full disks, 0 lost' target='>= 50'
if wanted disks "$figure" "$target"; then
  program campaign full --rounds "$full_disks"
  measure "$figure" "$target" 'full disks.*: [0-9]+' 'N >= 50'
fi
figure='kill -9 of clients and relay in mid burst' target='0 lost, doubled, reordered'
if wanted clients "$figure" "$target"; then
  tests "$figure" "$target" staffetta-tests \
    killing_the_relay_in_mid_burst_loses_nothing_and_repeats_nothing \
    killing_the_sender_in_mid_burst_loses_nothing_and_repeats_nothing \
    killing_the_receiver_in_mid_burst_loses_nothing_and_repeats_nothing \
    breaking_every_connection_in_mid_burst_loses_nothing_and_repeats_nothing
fi
figure='clock jumps' target='>= 20, nothing expired or lost'
if wanted clocks "$figure" "$target"; then
  tests "$figure" "$target" staffetta-relay clock_jumps_of_ten_years_do_not_move_it \
    clock_jumps_of_ten_years_expire_nothing_and_lose_no_cells clock_jumps_of_ten_years_end_no_invite_for_good_and_bring_none_back
fi
figure='simulated seeds, all invariants held' target='>= 100000 over time'
if wanted simulation "$figure" "$target"; then
  program sim --seconds "$sim" --seed "$(date +%s)"
  measure "$figure" "$target" '^[0-9]+ seeds' 'N >= 100000'
fi
figure='planted text, names, rooms, keys, addresses on a seized relay' target='0 found'
if wanted seizure "$figure" "$target"; then
  tests "$figure" "$target" staffetta-tests a_seized_relay_holds_no_text_name_room_label_or_key
fi
figure='frame sizes on the wire' target='<= 4'
if wanted wire "$figure" "$target"; then
  tests "$figure" "$target" staffetta-protocol every_frame_has_one_of_at_most_four_sizes
fi
figure='a stranger beside a plain web server' target='equal bytes'
if wanted wire "$figure" "$target"; then
  tests "$figure" "$target" staffetta-tests exactly_the_404_of_a_plain_web_server
fi
figure='cost of refusing, Noise over gate' target='>= 100 x'
if wanted refusal "$figure" "$target"; then
  program flood REFUSAL
  measure "$figure" "$target" '[0-9]+x a wrong MAC' 'N >= 100'
fi
figure='enrolled sender under a flood: acknowledged; p99' target='100 %; <= 5 x idle'
if wanted flood "$figure" "$target"; then
  program flood FLOOD --seconds "$flood"
  if run "${command[@]}" && line=$(said '^under every attack: '); then
    state=$(verdict "$(number 'attack: [0-9]+' "$line") == $(number 'of [0-9]+' "$line") && $(number 'worst [0-9.]+' "$line") <= 5")
    row "$figure" "$target" "$state" "$line" "${command[*]}"
  else
    row "$figure" "$target" FAILED "$(tail -n 1 "$work/log")" "${command[*]}"
  fi
fi
figure='revoked: sockets cut' target='< 1 s'
if wanted revoke "$figure" "$target"; then
  tests "$figure" "$target" staffetta-relay a_revoked_devices_sockets_close_within_a_second_and_no_key_it_had_works_again
fi
figure='revoked: cells readable afterwards' target=0
if wanted revoke "$figure" "$target"; then
  tests "$figure" "$target" staffetta-protocol:member a_revoked_device_is_cut_and_reads_nothing_afterwards
fi
figure='hostile moves of a relay: fork, drop, replay, reorder, rewrite, withhold' target='all noticed or without effect'
if wanted relay "$figure" "$target"; then
  tests "$figure" "$target" staffetta-protocol:member \
    a_hostile_relay_is_caught_by_name_with_the_first_message_and_nothing_wrong_is_shown_as_right
fi
figure='intercepted invites that reached a Welcome' target=0
if wanted invites "$figure" "$target"; then
  tests "$figure" "$target" staffetta-protocol:member \
    a_thief_of_the_code_cannot_draw_a_newcomer_into_a_team_of_his_own a_wrong_word_lets_nobody_in_and_burns_nothing
fi
figure='malformed inputs tried, 0 panics' target='>= 10^8'
if wanted fuzz "$figure" "$target"; then
  command=(tests/fuzz.sh --until "$fuzz_until" "$fuzz")
  measure "$figure" "$target" 'in all: [0-9]+' 'N >= 100000000'
fi
figure='mutants killed in `protocol`' target='>= 90 %'
if wanted mutants "$figure" "$target"; then
  command=(tests/mutants.sh "$mutants")
  measure "$figure" "$target" 'killed: [0-9.]+ %' 'N >= 90'
fi
figure='tests of wire, cells and gate under Miri' target='no undefined behaviour'
if wanted parsers "$figure" "$target"; then
  command=(tests/miri.sh)
  measure "$figure" "$target" 'miri: [0-9]+ tests' 'N > 0'
fi

# --- the table ----------------------------------------------------------------------------------
{
  echo "$begin"
  echo
  printf 'On %s cores (%s), %s GiB of memory, %s.\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
    "$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" \
    "$(uname -s), $(rustc --version | cut -d' ' -f1,2)"
  echo
  echo '| figure | target | | measured | command | when, commit, load |'
  echo '|---|---|---|---|---|---|'
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
