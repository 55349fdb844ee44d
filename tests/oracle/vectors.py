"""The test vectors of the layers that this device speaks, computed anew from the specification."""

import base64
import json
import struct

import device as d
import primitives as p


def cases(directory, pattern):
    for path in sorted(directory.glob(pattern)):
        yield path.stem, json.loads(path.read_text())


def follow(directory):
    raw, counted = bytes.fromhex, 0
    for name, case in cases(directory, "access/*.json"):
        access = raw(case["access"])
        public = p.KeyPair(raw(case["transport_secret"])).public
        found = (d.gate_key(access), d.hop_psk(access), public, d.transport_hash(access, public))
        expected = tuple(raw(case[key]) for key in ("gate_key", "psk", "transport", "bound"))
        d.check_quiet(f"G1, S1 {name}", found == expected)
        counted += 1
    for name, case in cases(directory, "gate/valid*.json"):
        key, relay = raw(case["gate_key"]), raw(case["relay"])
        handles = [d.handle(key, case["window"], k).hex() for k in range(16)]
        d.check_quiet(f"G2 {name}: handles", handles == case["handles"])
        given = base64.urlsafe_b64decode(case["token"] + "==")
        sent, nonce = struct.unpack(">I", given[16:20])[0], given[20:36]
        window = [d.handle(key, sent // 600, k) for k in range(16)]
        k = window.index(given[:16])
        made = d.token(key, relay, sent, nonce, k).decode()
        d.check_quiet(f"G2 to G4 {name}: token", made == case["token"])
        d.check_quiet(f"G2 {name}: relay", d.fingerprint(relay) == raw(case["fingerprint"]))
        counted += 1
    for name, case in cases(directory, "running-hash/*.json"):
        lane = struct.pack(">H", case["lane"])
        value = p.blake2s(b"staffetta 1 log" + raw(case["team"]) + lane + raw(case["log"]))
        hashes = [value.hex()]
        for cell_id, fill in zip(case["ids"], case["fills"]):
            value = d.running_hash(value, raw(cell_id), bytes([fill]) * d.CELL)
            hashes.append(value.hex())
        d.check_quiet(f"L1 {name}", hashes == case["hashes"])
        counted += 1
    for name, case in cases(directory, "cell/*.json"):
        channel = d.Channel(raw(case["secret"]))
        if "content" in case:
            fragment = d.fragments(case["kind"], raw(case["content"]))[0]
            made = channel.seal(raw(case["nonce"]), fragment)
            d.check_quiet(f"C2 to C5 {name}", made == raw(case["cell"]))
            counted += 1
        elif name.startswith("other-channel") or name == "body-flipped":
            d.check_quiet(f"C3, C4 {name}", channel.open(raw(case["cell"])) is None)
            counted += 1
    for name, case in cases(directory, "fragments/valid*.json"):
        made = d.fragments(case["kind"], raw(case["message"]))
        # The vectors name the 23 bytes before the content.
        heads = [part[:23].hex() for part in made]
        d.check_quiet(f"C5, C6 {name}", heads == case["fragments"])
        d.check_quiet(f"C7 {name}", d.joined(made) == raw(case["message"]))
        counted += 1
    for name, case in cases(directory, "invite-code/valid*.json"):
        (host, port), derive = d.founder(case["canonical"])
        sizes = {"id": 16, "gate_r": 32, "psk_r": 32, "k_bundle": 32, "k_join": 32}
        for key, size in sizes.items():
            d.check_quiet(f"I4 {name}: {key}", derive(key.encode(), size) == raw(case[key]))
        counted += 1
    d.check(f"{counted} vectors", counted >= 15)
