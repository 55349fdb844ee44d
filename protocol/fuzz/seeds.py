"""Makes the corpora that fuzzing starts from out of the test vectors, into corpus/TARGET/."""

import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"


def cases(directory):
    for path in sorted((VECTORS / directory).glob("*.json")):
        yield path.stem, json.loads(path.read_text())


def keep(target, name, data):
    place = HERE / "corpus" / target
    place.mkdir(parents=True, exist_ok=True)
    (place / f"seed-{name}").write_bytes(data)


def main():
    for name, case in cases("frames"):
        keep("frame", name, bytes.fromhex(case["bytes"]).rstrip(b"\0"))
    for directory in ("cell", "direct"):
        for name, case in cases(directory):
            keep("cell", f"{directory}-{name}", bytes.fromhex(case["cell"]))
    for name, case in cases("gate"):
        keep("gate", name, case["token"].encode())
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


main()
