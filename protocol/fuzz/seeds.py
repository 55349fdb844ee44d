"""The corpora that fuzzing starts from and ends with.

seeds.py          makes corpus/TARGET/ out of the test vectors and of what is kept in corpora/TARGET
seeds.py keep     writes the inputs that fuzzing found into corpora/TARGET, base64, one a line: an even
                  choice of the short ones
"""

import base64
import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"


def cases(directory):
    for path in sorted((VECTORS / directory).glob("*.json")):
        yield path.stem, json.loads(path.read_text())

# What is kept of a target: so many inputs, none longer than so many bytes.
MOST_INPUTS, MOST_BYTES = 150, 1200


def unpack():
    for kept in sorted((HERE / "corpora").glob("*")):
        for line in kept.read_text().splitlines():
            data = base64.b64decode(line)
            keep(kept.name, hashlib.sha256(data).hexdigest()[:16], data, "kept")


def pack():
    (HERE / "corpora").mkdir(exist_ok=True)
    for target in sorted((HERE / "corpus").iterdir()):
        inputs = {path.read_bytes() for path in target.iterdir() if not path.name.startswith("seed-")}
        inputs = sorted((data for data in inputs if 0 < len(data) <= MOST_BYTES), key=lambda data: (len(data), data))
        lines = [base64.b64encode(data).decode() for data in inputs[:: max(1, -(-len(inputs) // MOST_INPUTS))]]
        (HERE / "corpora" / target.name).write_text("".join(line + "\n" for line in lines))


def keep(target, name, data, kind="seed"):
    place = HERE / "corpus" / target
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{kind}-{name}").write_bytes(data)


def main():
    for name, case in cases("frames"):
        keep("frame", name, bytes.fromhex(case["bytes"]).rstrip(b"\0"))
    for directory in ("cell", "direct"):
        for name, case in cases(directory):
            keep("cell", f"{directory}-{name}", bytes.fromhex(case["cell"]))
    for name, case in cases("gate"):
        keep("gate", name, case["token"].encode())
        head = f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {case['token']}\r\nUpgrade: websocket\r\n"
        head += "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        head += 'X-Forwarded-For: 192.0.2.7\r\nForwarded: for="[2001:db8::7]:443"\r\n\r\n'
        keep("head", name, b"\x07" + head.encode())
    for name, case in cases("rows"):
        keep("frame", f"rows-{name}", bytes.fromhex(case["document"]))
    for name, case in cases("bundle"):
        if "plain" in case:
            keep("invite_code", f"bundle-{name}", bytes.fromhex(case["plain"]))
    for name, case in cases("invite-code"):
        keep("invite_code", name, case["text"].encode())
    for name, case in cases("roster"):
        entries = case.get("entries", []) + [case[key] for key in ("entry",) if key in case]
        for number, entry in enumerate(entries):
            keep("roster", f"{name}-{number}", bytes.fromhex(entry))
    # A true handshake of either kind, one with a flipped bit in each message, one cut short.
    for kind in (0, 1):
        keep("handshake", f"true-{kind}", bytes([kind]))
        for message in range(4):
            keep("handshake", f"flip-{kind}-{message}", bytes([kind] + [0] * 4 * message + [1, 0, 40, 1]))
            keep("handshake", f"cut-{kind}-{message}", bytes([kind] + [0] * 4 * message + [2, 0, 40, 0]))
    text = "a500010150" + "11" * 16 + "0201031a6b49d200040105" + "6568656c6c6f"
    keep("content", "text", bytes.fromhex("a6" + text[2:]))
    keep("content", "hostile", "\u202e\u200b e\u0301\u0301\u0301\x1b[31m".encode())
    keep("mls", "commit", bytes.fromhex("0001000110" + "11" * 16 + "00" * 7 + "0501000000020a" + "22" * 10 + "03"))
    keep("mls", "application", bytes.fromhex("0001000210" + "11" * 16 + "00" * 7 + "0501"))
    keep("mls", "state", bytes.fromhex("8601646e616d6565746f706963000000"))
    keep("mls", "note", bytes.fromhex("830105f6"))
    keep("mls", "resync", bytes(168))
    keep("config", "template", (VECTORS.parent.parent / "server/src/config.toml").read_bytes())
    for number, line in enumerate(
        [
            '{"jsonrpc":"2.0","id":1,"method":"ping"}',
            '{"jsonrpc":"2.0","method":"send","params":{"room":"general","text":"hello"}}',
            '[{"jsonrpc":"2.0"}]',
            '{"jsonrpc":"2.0","id":{},"method":1,"params":[]}',
        ]
    ):
        keep("rpc", str(number), line.encode())


if sys.argv[1:] == ["keep"]:
    pack()
else:
    unpack()
    main()
