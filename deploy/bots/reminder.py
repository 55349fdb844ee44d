#!/usr/bin/env python3
"""Reminds a room: `!remind 10m take the bread out`, `!remind 2h call Karim`, `!reminders`.

Run it with: staffetta bot run -- ./reminder.py
What is due is kept in the bot's encrypted profile, so a restart forgets nothing.
"""

import json
import os
import re
import select
import sys
import time

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MOST = 100
waiting = []  # [due, room, who, text, id], soonest first


def call(method, **params):
    request = {"jsonrpc": "2.0", "method": method, "params": params}
    print(json.dumps(request), flush=True)


def keep():
    waiting.sort()
    call("kv.set", key="reminders", value=waiting)


def reply(event, text):
    call("reply", to=event["id"], text=text, key=f"reply {event['id']}")


def take(event):
    text = event["text"].strip()
    if text == "!reminders":
        mine = [entry for entry in waiting if entry[1] == event["room"]]
        when = lambda due: time.strftime("%d %b %H:%M", time.localtime(due))
        return reply(event, "\n".join(f"{when(e[0])} {e[3]}" for e in mine) or "Nothing is due.")
    match = re.fullmatch(r"!remind (\d{1,6})([smhd]) (.+)", text, re.DOTALL)
    if not match:
        if text.startswith("!remind"):
            reply(event, "Write: !remind 10m take the bread out (s, m, h or d)")
        return
    if any(entry[4] == event["id"] for entry in waiting):
        return reply(event, "I will.")  # it came again after a crash
    if len(waiting) >= MOST:
        return reply(event, f"I keep {MOST} reminders at most.")
    due = time.time() + int(match[1]) * UNITS[match[2]]
    waiting.append([due, event["room"], event["from"], match[3][:500], event["id"]])
    keep()
    reply(event, "I will.")


def remind():
    while waiting and waiting[0][0] <= time.time():
        _, room, who, text, id = waiting.pop(0)
        # Said before it is forgotten, and once: the key stands for it.
        call("send", room=room, text=f"@{who} {text}", key=f"remind {id}")
        keep()


print(json.dumps({"jsonrpc": "2.0", "id": "load", "method": "kv.get",
                  "params": {"key": "reminders"}}), flush=True)
loaded, early, buffer = False, [], b""
while True:
    rest = max(0.0, min(waiting[0][0] - time.time(), 3600)) if waiting else 3600
    if select.select([0], [], [], rest)[0]:
        chunk = os.read(0, 65536)
        if not chunk:
            break
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if said.get("id") == "load":
                waiting, loaded = said["result"]["value"] or [], True
                for event in early:
                    take(event)
                    call("ack", id=event["id"])
            if "error" in said:
                print(said["error"]["message"], file=sys.stderr)
            event = said.get("params", {}) if said.get("method") == "event" else {}
            if event.get("type") == "message" and not loaded:
                early.append(event)
            elif "id" in event:
                if event["type"] == "message":
                    take(event)
                call("ack", id=event["id"])
    if loaded:
        remind()
