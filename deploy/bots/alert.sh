#!/bin/sh
# Sends what a command says when it fails, for cron and timers:
#   ROOM=alerts ./alert.sh /usr/local/bin/nightly-backup
# Beside it, two one-liners with jq:
#   staffetta tail alerts --json | jq -r 'select(.type == "message") | "\(.from): \(.text)"'
#   journalctl -fp err -o json | jq -rc '.MESSAGE' | while read -r line; do
#       staffetta send alerts "$line" --no-wait; done
set -u
room=${ROOM:?name a room: ROOM=alerts}
out=$("$@" 2>&1) && exit 0
code=$?
# 69 and 75 mean that the message is queued: the next command, or the agent, sends it.
printf '%s ended with %s\n%s\n' "$1" "$code" "$(printf '%s' "$out" | tail -c 4000)" |
    staffetta send "$room" - >/dev/null
sent=$?
case $sent in 0 | 69 | 75) ;; *) echo "the alert could not be sent: $sent" >&2 ;; esac
exit "$code"
