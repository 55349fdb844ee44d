#!/usr/bin/env bash
# Builds everything, runs a small team on this machine's loopback, and then searches the stopped
# relay's whole directory for every text, name and room that was used. Leaves nothing behind.
set -euo pipefail

usage() {
    cat <<'END'
usage: deploy/try.sh [--no-tui] [--bin DIR]
  --no-tui   end after the search instead of opening the terminal client
  --bin DIR  use the programs in DIR (staffetta, staffetta-relay, echo_bot), build nothing
END
}

tui=yes
bin=
while [ $# -gt 0 ]; do
    case $1 in
        --no-tui) tui=no ;;
        --bin) bin=${2:?--bin needs a directory}; shift ;;
        -h|--help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
if [ ! -t 0 ] || [ ! -t 1 ]; then tui=no; fi

cd "$(dirname "$0")/.."
umask 077

# ---------------------------------------------------------------- helpers

work=
pids=()

step() { printf '\n== %s\n' "$1"; }

fail() {
    printf 'try.sh: %s\n' "$1" >&2
    if [ -n "$work" ]; then
        for log in "$work"/*.log; do
            [ -s "$log" ] || continue
            printf -- '--- %s\n' "${log##*/}" >&2
            tail -n 15 "$log" >&2
        done
    fi
    exit 1
}

# Ends one process we started and waits for it; its exit code is in `stopped`.
stop() {
    local code=0
    kill -TERM "$1" 2>/dev/null || true
    wait "$1" || code=$?
    local kept=() pid
    for pid in ${pids[@]+"${pids[@]}"}; do [ "$pid" = "$1" ] || kept+=("$pid"); done
    pids=(${kept[@]+"${kept[@]}"})
    stopped=$code
}

cleanup() {
    local pid
    for pid in ${pids[@]+"${pids[@]}"}; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
    if [ -n "$work" ]; then rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# wait_for FACT SECONDS COMMAND...: until COMMAND succeeds; past the deadline it is a failure.
wait_for() {
    local fact=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@"; do
        if [ "$SECONDS" -ge "$deadline" ]; then fail "this did not happen in time: $fact"; fi
        sleep 0.1
    done
}

# field NAME: the text of a field of the JSON object on standard input.
field() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }

has() { grep -qF -- "$2" "$1" 2>/dev/null; }

gone() { ! kill -0 "$1" 2>/dev/null; }

# as PERSON ARGUMENTS...: runs the client with that person's profile.
as() {
    local who=$1
    shift
    "$bin/staffetta" --profile "$work/$who" --passphrase-file "$work/$who.pass" "$@"
}

# show PERSON ARGUMENTS...: the same, as a transcript.
show() {
    local who=$1
    shift
    printf '%s$ staffetta' "$who"
    local word
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_./:@-]*) printf " '%s'" "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    as "$who" "$@" 2>&1 | sed 's/^/    /'
}

# hold PERSON: starts that person's agent and waits until it is connected.
hold() {
    as "$1" agent >"$work/$1.agent.log" 2>&1 &
    pids+=("$!")
    last=$!
    wait_for "$1's agent is connected" 60 connected "$1"
}
connected() { [ -S "$work/$1/agent.sock" ] && as "$1" status --json 2>/dev/null | grep -q '"connected":true'; }

# ---------------------------------------------------------------- build

if [ -z "$bin" ]; then
    missing=
    command -v gcc >/dev/null || missing="$missing gcc libc6-dev"
    command -v make >/dev/null || missing="$missing make"
    command -v perl >/dev/null || missing="$missing perl"
    if [ -n "$missing" ]; then
        printf 'try.sh: a compiler for SQLCipher is missing. On Debian:\n' >&2
        printf '    sudo apt-get install%s\n' "$missing" >&2
        exit 1
    fi
    if ! command -v cargo >/dev/null; then
        printf 'try.sh: cargo is missing. Install Rust from https://rustup.rs\n' >&2
        exit 1
    fi
    step 'Building (the first time takes some minutes)'
    cargo build --locked --release -p staffetta-relay
    cargo build --locked --release -p staffetta
    cargo build --locked --release -p staffetta-protocol --features member --example echo_bot
    target=${CARGO_TARGET_DIR:-target}
    bin=$target/release
    cp -f "$target/release/examples/echo_bot" "$bin/echo_bot"
fi
bin=$(cd "$bin" && pwd)
for program in staffetta staffetta-relay echo_bot; do
    [ -x "$bin/$program" ] || fail "there is no program $program in $bin"
done

work=$(mktemp -d "${TMPDIR:-/tmp}/staffetta-try.XXXXXX")
for who in founder press bot; do
    head -c 18 /dev/urandom | base64 >"$work/$who.pass"
done

# Everything in this list is later searched for on the relay's disk.
team='Campagne Staffetta Essai'
founder='Lea Founder'
newcomer='Karim Press'
bot='echo-planning'
room='strategy-room'
topic='the hall and the posters'
text_one='The hall is confirmed for 19:00, tell nobody else.'
text_two='Two hundred posters wait at the printer.'
label_one='founders-laptop'
label_two='press-laptop'
secrets=("$team" "$founder" "$newcomer" "$bot" general "$room" "$topic" "$text_one" "$text_two"
    "$label_one" "$label_two")

# ---------------------------------------------------------------- the relay

serve() {
    : >"$work/relay.log"
    "$bin/staffetta-relay" serve --data-dir "$work/relay" --listen "127.0.0.1:$port" \
        2>"$work/relay.log" >/dev/null &
    relay=$!
    pids+=("$relay")
    wait_for 'the relay listens or ends' 30 listening_or_gone
}
listening_or_gone() { has "$work/relay.log" 'listening on ' || gone "$relay"; }

step 'A relay on loopback'
for attempt in 1 2 3 4 5 6 7 8 last; do
    # Founder codes name the address, so the port is chosen first; a taken one is tried no further.
    port=$((20000 + RANDOM % 40000))
    rm -rf "$work/relay"
    "$bin/staffetta-relay" init --data-dir "$work/relay" --address "127.0.0.1:$port" \
        --team "$team" --json >"$work/init.json" 2>"$work/init.log" || fail 'init failed'
    serve
    if has "$work/relay.log" 'listening on '; then break; fi
    stop "$relay"
    [ "$attempt" != last ] || fail 'the relay does not start'
done
head -n 1 "$work/relay.log"
code=$(field founder_code <"$work/init.json")
[ -n "$code" ] || fail 'init printed no founder code'

# ---------------------------------------------------------------- the team

step 'The founder claims it'
show founder join "$code" --name "$founder" --device "$label_one" \
    --root-words-file "$work/founder.words" || fail 'founding failed'
[ "$(wc -w <"$work/founder.words")" -eq 24 ] || fail 'there are no 24 root words'
hold founder

step 'A second person comes in by five words'
as founder invite "$newcomer" --json >"$work/invite.json" || fail 'inviting failed'
code=$(field code <"$work/invite.json")
id=$(field id <"$work/invite.json")
as press join "$code" --name "$newcomer" --device "$label_two" --json \
    >"$work/press.join" 2>"$work/press.log" &
joining=$!
pids+=("$joining")
wait_for 'the newcomer reads five words' 60 has "$work/press.join" '"state":"waiting"'
words=$(sed -n 's/.*"words":\["\([^]]*\)"\].*/\1/p' "$work/press.join" | sed 's/","/ /g')
printf 'press reads out: %s\n' "$words"
asking() { as founder invites --json | grep -F "$id" | grep -q '"state":"asking"'; }
wait_for 'the request reaches the founder' 60 asking
show founder approve "$id" --words "$words" || fail 'approving failed'
wait_for 'the newcomer is inside' 60 gone "$joining"
wait "$joining" || fail 'joining failed'
has "$work/press.join" '"state":"joined"' || fail 'the newcomer is not inside'
hold press

step 'A bot comes in by itself'
as founder invite "$bot" --role bot --auto-approve --ttl 10m --json >"$work/bot.json" \
    || fail 'inviting the bot failed'
field code <"$work/bot.json" >"$work/bot.invite"
start_bot() {
    STAFFETTA_PROFILE="$work/bot" STAFFETTA_PASSPHRASE_FILE="$work/bot.pass" \
        STAFFETTA_INVITE_FILE="$work/bot.invite" "$bin/echo_bot" >"$work/bot.log" 2>&1 &
    echo_bot=$!
    pids+=("$echo_bot")
}
start_bot
enrolled() { as founder team --json | grep -F "\"$bot\"" | grep -q '"state":"active"'; }
wait_for 'the bot is enrolled' 60 enrolled
show founder room add general "$bot" || fail 'adding the bot failed'
show founder team

# ---------------------------------------------------------------- the talk

step 'They talk'
show founder room create "$room" --topic "$topic" || fail 'creating a room failed'
show founder room add "$room" "$newcomer" || fail 'adding to the room failed'
show founder send general "$text_one" || fail 'sending failed'
arrived() { as press read "$1" --json >"$work/press.read" && has "$work/press.read" "$2"; }
wait_for 'the message arrives' 60 arrived general "\"text\":\"$text_one\""
wait_for "the bot's answer arrives" 60 arrived general "\"text\":\"echo: $text_one\""
show founder send "$room" "$text_two" || fail 'sending failed'
wait_for 'the second room works' 60 arrived "$room" "\"text\":\"$text_two\""
show press read general
show press read "$room"

# ---------------------------------------------------------------- the seizure

step 'The relay is stopped and searched'
stop "$echo_bot"
for who in press founder; do
    as "$who" sync >/dev/null || fail 'not everything was sent'
done
stop "$relay"
[ "$stopped" -eq 0 ] || fail "the relay ended with $stopped on SIGTERM"

# Contents, file names and log of DIR... as one line of hexadecimal digits.
digits() { { cat; } | od -An -v -tx1 | tr -d ' \n'; }
dump() { { find "$@" ; find "$@" -type f -exec cat {} +; } | digits; }

# forms TEXT: every form it is searched in, as hexadecimal digits: UTF-8, UTF-16LE, written in
# hexadecimal (both cases), in base64 and base64url at its three alignments.
forms() {
    local hex pad skip bytes
    hex=$(printf %s "$1" | digits)
    printf '%s\n' "$hex"
    printf %s "$1" | iconv -f UTF-8 -t UTF-16LE | digits; echo
    printf %s "$hex" | digits; echo
    printf %s "$hex" | tr a-f A-F | digits; echo
    bytes=$(printf %s "$1" | wc -c)
    for pad in '' x xx; do
        skip=$(( (${#pad} * 8 + 5) / 6 ))
        for alphabet in '+/' '-_'; do
            printf %s "$pad$1" | base64 -w0 | tr '+/' "$alphabet" \
                | cut -c "$((skip + 1))-$(((${#pad} + bytes) * 8 / 6))" | tr -d '\n' | digits
            echo
        done
    done
}

# search DUMP: how many of the secrets are in it in any form.
search() {
    local found=0 secret
    for secret in "${secrets[@]}"; do
        if forms "$secret" | grep -qF -f - "$1"; then found=$((found + 1)); fi
    done
    echo "$found"
}
for needed in iconv base64 od; do
    command -v "$needed" >/dev/null || fail "$needed is missing (Debian: libc-bin, coreutils)"
done

# First on something that holds them all in odd forms, so that the search itself is tested.
for secret in "${secrets[@]}"; do printf 'x%s' "$secret" | base64 -w0; echo; done >"$work/planted"
dump "$work/planted" >"$work/planted.hex"
[ "$(search "$work/planted.hex")" -eq "${#secrets[@]}" ] || fail 'the search does not find'

dump "$work/relay" "$work/relay.log" >"$work/relay.hex"
found=$(search "$work/relay.hex")
printf 'What its disk looks like (%s bytes):\n' "$(($(wc -c <"$work/relay.hex") / 2))"
# The log's own file, past its first page.
log=$(find "$work/relay" -type f -path '*seg-*' -name db | head -n 1)
[ -n "$log" ] || fail 'the relay kept no log'
od -A x -t x1z -w24 -j 4096 -N 192 "$log" | sed 's/^/    /'
printf '%s of %s secrets found\n' "$found" "${#secrets[@]}"
[ "$found" -eq 0 ] || fail 'the relay knows something'

# ---------------------------------------------------------------- look around

if [ "$tui" = yes ]; then
    step 'Your turn: you are the founder, the bot answers; Ctrl-Q ends'
    serve
    has "$work/relay.log" 'listening on ' || fail 'the relay does not start again'
    start_bot
    as founder || fail 'the screen failed'
fi
