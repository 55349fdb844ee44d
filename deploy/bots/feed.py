#!/usr/bin/env python3
"""Tells a room what is new in an RSS or Atom feed.

Run it with: FEED=https://example.org/feed.xml ROOM=press staffetta bot run -- ./feed.py
What was told is kept in the bot's profile; the first look at a feed tells nothing.
"""

import hashlib
import json
import os
import select
import sys
import time
import urllib.request
import xml.etree.ElementTree as xml

FEED, ROOM = os.environ["FEED"], os.environ["ROOM"]
EVERY = int(os.environ.get("EVERY", "900"))
LARGEST, REMEMBERED, AT_ONCE = 2_000_000, 300, 5
answers, lines, rest = {}, [], b""


def say(request):
    print(json.dumps({"jsonrpc": "2.0", **request}), flush=True)


def next_line(wait):
    """The next line within so many seconds, or None; read here, because select() does not see what
    Python has buffered."""
    global rest
    while not lines:
        if not select.select([0], [], [], wait)[0]:
            return None
        chunk = os.read(0, 65536)
        if not chunk:
            sys.exit(0)
        *whole, rest = (rest + chunk).split(b"\n")
        lines.extend(whole)
    return lines.pop(0)


def listen(until):
    """Reads what the holder says until a time, or until `until` is the id of an answer."""
    for_answer = isinstance(until, str)
    while not (until in answers if for_answer else time.time() >= until):
        line = next_line(3600 if for_answer else max(0.0, until - time.time()))
        if line is None:
            continue
        said = json.loads(line)
        if "id" in said:
            answers[said["id"]] = said.get("result")
            if "error" in said:
                print(said["error"]["message"], file=sys.stderr)
        elif "id" in said.get("params", {}):
            say({"method": "ack", "params": {"id": said["params"]["id"]}})


def call(method, **params):
    say({"id": method, "method": method, "params": params})
    listen(method)
    return answers.pop(method)


def entries():
    with urllib.request.urlopen(FEED, timeout=30) as feed:
        root = xml.fromstring(feed.read(LARGEST))
    for entry in root.iter():
        if entry.tag.rsplit("}", 1)[-1] not in ("item", "entry"):
            continue
        field = {child.tag.rsplit("}", 1)[-1]: child for child in entry}
        text = lambda name: (field[name].text or "").strip() if name in field else ""
        link = text("link") or (field["link"].get("href", "") if "link" in field else "")
        yield text("guid") or text("id") or link, text("title"), link


while True:
    seen = (call("kv.get", key=FEED[:256]) or {}).get("value")
    try:
        found = [(hashlib.sha256(id.encode()).hexdigest()[:16], title, link)
                 for id, title, link in entries()]
    except Exception as error:  # the feed is somebody else's; the next look may do better
        print(f"the feed cannot be read: {error}", file=sys.stderr)
        found = []
    if found:
        new = [entry for entry in found if seen is not None and entry[0] not in seen]
        for id, title, link in reversed(new[:AT_ONCE]):
            call("send", room=ROOM, text=f"{title}\n{link}"[:2000], key=f"feed {id}")
        known = [entry[0] for entry in found]
        known += [id for id in seen or [] if id not in known]
        call("kv.set", key=FEED[:256], value=known[:REMEMBERED])
    listen(time.time() + EVERY)
