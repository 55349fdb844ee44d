#!/usr/bin/env python3
"""Answers every message. Nothing to install; run it with: staffetta bot run -- ./echo.py"""

import json
import sys


def call(method, **params):
    """A call without an id: it is carried out in its turn, and not answered."""
    print(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}), flush=True)


for line in sys.stdin:
    said = json.loads(line)
    if "error" in said:
        print(said["error"]["message"], file=sys.stderr)
    if said.get("method") != "event":
        continue
    event = said["params"]
    if event["type"] == "message":
        # The key makes the answer appear once, should this message come again after a crash.
        call("reply", to=event["id"], text=f"echo: {event['text']}", key=f"echo {event['id']}")
    # Until its ack an event comes again, also to the next start. Events without an id need none.
    if "id" in event:
        call("ack", id=event["id"])
