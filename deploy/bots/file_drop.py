#!/usr/bin/env python3
"""Saves every file that is sent to the bot's rooms into a directory.

Run it with: DROP=/srv/drop staffetta bot run -- ./file_drop.py
A file is acknowledged when it is on disk, its hash proven; until then it comes again.
"""

import json
import os
import sys

DROP = os.path.abspath(os.environ["DROP"])
os.makedirs(DROP, exist_ok=True)
under_way = set()


def say(request):
    print(json.dumps({"jsonrpc": "2.0", **request}), flush=True)


def ack(id):
    say({"method": "ack", "params": {"id": id}})


for line in sys.stdin:
    said = json.loads(line)
    if "id" in said:
        # The answer to a download carries the file's id.
        if "error" in said:
            print(said["error"]["message"], file=sys.stderr)
            sys.exit(1)  # the next start tries again
        under_way.discard(said["id"])
        ack(said["id"])
        continue
    event = said.get("params", {})
    if "id" not in event or event["id"] in under_way:
        continue  # what takes long comes again meanwhile
    if event["type"] != "file":
        ack(event["id"])
        continue
    # Its name is safe already; the id keeps two of one name apart.
    path = os.path.join(DROP, f"{event['id'][:8]}-{event['name']}")
    if os.path.exists(path):
        ack(event["id"])  # saved before a crash
    else:
        under_way.add(event["id"])
        params = {"id": event["id"], "path": path, "wait_ms": 600000}
        say({"id": event["id"], "method": "download", "params": params})
