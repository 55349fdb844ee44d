"""Writes the test vectors of `protocol/vectors/`, from the specification alone, one case a file.

Argument: the directory to write to. The same files come out each time. An invalid case has one fault;
`documents.py` has the frames, registry documents, bundles and entries of the roster.
"""

import base64
import json
import pathlib
import struct
import sys

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

import device as d
import documents
import primitives as p
from documents import CODE, counting, flipped

NOW = 1_800_000_123
ACCESS = bytes(range(1, 33))
RELAY, OTHER_RELAY = p.KeyPair(b"\x22" * 32), b"\x01" * 32
TRANSPORT = b"\x11" * 32
NONCE = bytes(range(0x50, 0x68))
# The places of `words/valid` in the two BIP-39 lists, and what stands there.
WORDS = {
    "english": {1033: "license", 1106: "medal", 222: "bridge", 1319: "pilot", 542: "duck"},
    "french": {1033: "inexact", 1106: "lactose", 222: "berger", 1319: "nickel", 542: "descente"},
}


def access():
    public = p.KeyPair(TRANSPORT).public
    yield "valid", {
        "says": "what derives from a device's access secret",
        "access": ACCESS,
        "gate_key": d.gate_key(ACCESS),
        "psk": d.hop_psk(ACCESS),
        "transport_secret": TRANSPORT,
        "transport": public,
        "bound": d.transport_hash(ACCESS, public),
    }


def gate():
    key, nonce, k = d.gate_key(ACCESS), bytes(range(0x28, 0x38)), 5
    window, zero = NOW // 600, bytes(32)

    def token(relay):
        return d.token(key, relay, NOW, nonce, k).decode()

    def case(says, now, relay, text, fault):
        return {"says": says, "gate_key": key, "relay": relay, "now": now, "token": text, "fault": fault}

    def valid(says, now, relay):
        return {
            "says": says,
            "gate_key": key,
            "relay": relay,
            "fingerprint": d.fingerprint(relay),
            "now": now,
            "window": window,
            "handles": [d.handle(key, window, k) for k in range(16)],
            "k": k,
            "nonce": nonce,
            "token": token(relay),
        }

    def changed(text, at):
        raw = base64.urlsafe_b64decode(text + "==")
        return base64.urlsafe_b64encode(flipped(raw, at)).rstrip(b"=").decode()

    relay, good = RELAY.public, token(RELAY.public)
    yield "valid", valid("handle 5 of its window", NOW, relay)
    yield "valid-ten-minutes-late", valid("the relay's clock is 600 s ahead", NOW + 600, relay)
    yield "valid-invite", valid("invite connections name the all-zero key", NOW, zero)
    yield "stale", case("the relay's clock is 601 s ahead", NOW + 601, relay, good, "stale")
    for name, says, text, fault in [
        ("mac-flipped", "the last bit of the MAC is another", changed(good, 51), "mac"),
        ("mac-time", "the time was changed after the MAC was made", changed(good, 19), "mac"),
        ("mac-other-relay", "made for another relay", token(OTHER_RELAY), "mac"),
        ("no-token-alphabet", "a plus sign instead of a minus", "+" + good[1:], "no-token"),
        ("no-token-padding", "with the padding that RFC 4648 would allow", good + "==", "no-token"),
        ("no-token-short", "a character is missing", good[:-1], "no-token"),
    ]:
        yield name, case(says, NOW, relay, text, fault)


def handshake():
    psk = d.hop_psk(ACCESS)

    def first(pattern, prologue=d.PROLOGUE, psk=psk, relay=RELAY.public):
        static, ephemeral = p.KeyPair(TRANSPORT), p.KeyPair(b"\x61" * 32)
        return p.Initiator(pattern, prologue, psk, static, ephemeral, relay).first(bytes(1072))

    def case(says, pattern, message, **more):
        return {
            "says": says,
            "relay_secret": b"\x22" * 32,
            "psk": psk,
            "pattern": pattern + "psk0",
            "message": message,
            **more,
        }

    sizes, refused, good = {"sizes": [1120] * 3}, {"fault": "refused"}, first("XK")
    yield "valid-device", case("the first message of XKpsk0", "XK", good, **sizes)
    yield "valid-newcomer", case("the first message of XXpsk0", "XX", first("XX"), **sizes)
    for name, says, message in [
        ("flipped", "a bit was flipped on the way", flipped(good, len(good) - 1)),
        ("pattern", "a newcomer's message at a device's door", first("XX")),
        ("psk", "made with another psk", first("XK", psk=b"\x01" * 32)),
        ("relay-key", "made for another relay key", first("XK", relay=p.KeyPair(b"\x23" * 32).public)),
        ("short", "a byte is missing", good[:-1]),
        ("unpadded", "the 48 bytes that Noise needs, and no padding", good[:48]),
        ("version", "another major version in the prologue", first("XK", prologue=b"staffetta/\x02")),
    ]:
        yield f"refused-{name}", case(says, "XK", message, **refused)


def running_hash():
    team, log = bytes(range(7, 39)), bytes(range(9, 25))

    def case(says, lane, ids, fills):
        value = p.blake2s(b"staffetta 1 log" + team + struct.pack(">H", lane) + log)
        hashes = [value]
        for cell_id, fill in zip(ids, fills):
            hashes.append(value := d.running_hash(value, cell_id, bytes([fill]) * d.CELL))
        lists = {"ids": ids, "fills": fills, "hashes": hashes}
        return {"says": says, "team": team, "lane": lane, "log": log, **lists}

    ids = [bytes(range(first, first + 16)) for first in (20, 21, 22)]
    yield "valid", case("the hash before the first cell and after each of three", 0, ids, [48, 49, 50])
    yield "valid-lane-1", case("another lane is another chain", 1, [], [])


def fragment(index, count, length, kind, following, content):
    return struct.pack(">HHHB", index, count, length, kind) + following + content.ljust(945, b"\0")


def cell():
    secret = bytes(range(0x3C, 0x5C))
    channel, none, some = d.Channel(secret), bytes(16), b"\x01" * 16

    def case(says, sealed, **more):
        return {"says": says, "secret": secret, "nonce": NONCE, **more, "cell": sealed}

    def valid(says, kind, content):
        sealed = channel.seal(NONCE, d.fragments(kind, content)[0])
        return case(says, sealed, tag=sealed[:16], kind=kind, content=content)

    hello = channel.seal(NONCE, d.fragments(3, b"hello")[0])
    yield "valid", valid("one fragment under a fixed nonce", 3, b"hello")
    yield "valid-empty", valid("no content at all", 7, b"")
    yield "valid-full", valid("945 bytes", 3, counting(0, 945))
    for name, says, sealed, fault in [
        ("other-channel", "another tag: this channel's devices do not look further", flipped(hello, 0), None),
        ("other-channel-nonce", "the tag is of another nonce", flipped(hello, 16), None),
        ("body-flipped", "a bit of the body was flipped on the way", flipped(hello, 500), "body"),
    ]:
        yield name, {**case(says, sealed), "fault": fault or "other-channel"}
    for name, says, parts in [
        ("first-expects-nothing", "a fragment with a successor that it does not name", (0, 2, 5, 3, none, b"hello")),
        ("index", "fragment 1 of 1", (1, 1, 5, 3, none, b"hello")),
        ("last-expects", "the last fragment expects another", (0, 1, 5, 3, some, b"hello")),
        ("length", "sealed well, and longer than a fragment", (0, 1, 946, 3, none, b"hello")),
        ("no-fragments", "a message of no fragments", (0, 0, 5, 3, none, b"hello")),
        ("padding", "sealed well, and the padding is not zero", (0, 1, 5, 3, none, b"hello".ljust(944, b"\0") + b"\1")),
        ("too-many", "a message of more than 512 fragments", (0, 513, 5, 3, some, b"hello")),
    ]:
        yield f"body-{name}", {**case(says, channel.seal(NONCE, fragment(*parts))), "fault": "body"}


def fragments():
    for name, size in (("valid-empty", 0), ("valid-one", 945), ("valid-three", 2000)):
        message = counting(0, size)
        heads = [part[:23] for part in d.fragments(4, message)]
        says = f"a message of {size} bytes"
        yield name, {"says": says, "kind": 4, "message": message, "fragments": heads}


def chain():
    messages = [counting(0, 2000), counting(99, 1500)]
    for name, says, steps, whole in [
        ("valid-interleaved", "two messages at once; each is placed where it is complete",
         [[1, 0, 0], [2, 1, 0], [3, 0, 1], [4, 1, 1], [5, 0, 2]], [[4, 1], [5, 0]]),
        ("valid-twice", "a copy of a first fragment opens a chain of its own",
         [[1, 1, 0], [2, 1, 0], [3, 1, 1], [4, 1, 1]], [[3, 1], [4, 1]]),
        ("valid-at-the-last-moment", "complete 4,095 seqs after its first fragment",
         [[10, 1, 0], [4105, 1, 1]], [[4105, 1]]),
        ("void-late", "complete 4,096 seqs after its first fragment", [[10, 1, 0], [4106, 1, 1]], []),
        ("void-no-beginning", "nothing expects it", [[1, 0, 1], [2, 0, 2]], []),
        ("void-out-of-order", "a later fragment means nothing before the one that expects it",
         [[1, 0, 0], [2, 0, 2], [3, 0, 1]], []),
    ]:
        yield name, {"says": says, "kind": 4, "messages": messages, "steps": steps, "whole": whole}


def direct():
    sender, receiver, third = (p.KeyPair(bytes([byte]) * 32) for byte in (0x41, 0x42, 0x43))
    shared = sender.agree(receiver.public)
    secret = p.blake2s(b"staffetta 1 channel direct", key=shared)
    tag = p.blake2s(NONCE, key=d.Channel(secret).tag_key, size=16)
    cell_id = bytes(range(3, 11))

    def seal(index, count, length, content, by=sender, to=receiver):
        inside = struct.pack(">HHHB", index, count, length, 2) + cell_id + content.ljust(921, b"\0")
        ephemeral = p.KeyPair(b"\x55" * 32)
        return tag + NONCE + p.noise_k(b"staffetta direct 1", by, to.public, ephemeral, inside)

    def case(says, more, sealed):
        known = {"says": says, "receiver_secret": b"\x42" * 32, "sender": sender.public}
        return {**known, **more, "cell": sealed}

    def valid(says, index, count, content):
        more = {"shared": shared, "channel": secret, "nonce": NONCE, "tag": tag, "index": index,
                "count": count, "kind": 2, "id": cell_id, "content": content}
        return case(says, more, seal(index, count, len(content), content))

    whole = (0, 1, 5, b"hello")
    yield "valid", valid("the second of three fragments", 1, 3, b"hello")
    yield "valid-full", valid("921 bytes", 0, 1, counting(0, 921))
    for name, says, sealed in [
        ("flipped", "a bit of the body was flipped on the way", flipped(seal(*whole), 600)),
        ("index", "fragment 1 of 1", seal(1, 1, 5, b"hello")),
        ("length", "sealed well, and longer than a fragment", seal(0, 1, 922, b"hello")),
        ("other-receiver", "sealed for a third device", seal(*whole, to=third)),
        ("other-sender", "sealed by a third device", seal(*whole, by=third)),
        ("too-many", "more than 1,139 fragments", seal(0, 1140, 5, b"hello")),
    ]:
        yield f"body-{name}", {**case(says, {}, sealed), "fault": "body"}


def invite_code():
    symbols = "000G4-0R40M-30E20-9185G-R38E1-WP8GB"

    def valid(says, text, host, port, canonical):
        _, derive = d.founder(canonical)
        sizes = {"id": 16, "gate_r": 32, "psk_r": 32, "k_bundle": 32, "k_join": 32}
        keys = {name: derive(name.encode(), size) for name, size in sizes.items()}
        known = {"says": says, "text": text, "host": host, "port": port, "canonical": canonical}
        return {**known, "secret": documents.secret_of(canonical), **keys}

    yield "valid", valid("a code in its canonical form", CODE, "relay.example", 7443, CODE)
    secret = b"\xff" * 15 + b"\x01"
    canonical = "[2001:db8::1]:9000/" + documents.symbols_of(secret)
    yield "valid-lower-case-no-dashes", valid(
        "case and dashes are ignored; an IPv6 host stands in brackets",
        canonical.replace("-", "").lower(), "2001:db8::1", 9000, canonical,
    )
    for name, says, text, more in [
        ("bad-host", "a URL is not a host", "https://" + CODE, {"fault": "bad-host"}),
        ("bad-port", "port 0", f"relay.example:0/{symbols}", {"fault": "bad-port"}),
        ("length", "a symbol is missing", CODE[:-1], {"fault": "length"}),
        ("no-host", "nothing before the slash", f"/{symbols}", {"fault": "no-host"}),
        ("too-many-typos-padding", "a right checksum over 130 bits of which the last is set; no code is made so",
         "relay.example/" + documents.symbols_of(bytes(range(16)), last_bits=1), {"fault": "too-many-typos"}),
        ("typo-one-symbol", "symbol 12 is wrong: it stands in the third group",
         CODE.replace("30E20", "30F20"), {"fault": "typo", "groups": [3]}),
        ("typo-stranger", "U is not in the alphabet", CODE.replace("0R40M", "UR40M"), {"fault": "typo", "groups": [2]}),
        ("typo-two-symbols", "symbols 2 and 29 are wrong; 29 is a check symbol",
         CODE.replace("000G4", "007G4").replace("WP8GB", "WP8GM"), {"fault": "typo", "groups": [1, 6]}),
    ]:
        yield name, {"says": says, "text": text, **more}


def words():
    _, derive = d.founder(CODE)
    invite, request = derive(b"id", 16), b"the whole canonical request"
    bundle = p.blake2s(documents.member_bundle())
    transcript = p.blake2s(b"staffetta 1 join transcript\x01" + invite + bundle + request)
    salt = b"staffetta 1 join words"
    out = Argon2id(salt=salt, length=8, iterations=3, lanes=1, memory_cost=262_144).derive(transcript)
    places = [int.from_bytes(out, "big") >> (64 - 11 * (nth + 1)) & 0x7FF for nth in range(5)]
    yield "valid", {
        "says": "Argon2id over the transcript, its first 55 bits as five words",
        "invite": invite,
        "bundle_hash": bundle,
        "request": request,
        "transcript": transcript,
        **{language: [known.get(place, place) for place in places] for language, known in WORDS.items()},
    }


LAYERS = {
    "access": access, "gate": gate, "handshake": handshake, "running-hash": running_hash, "cell": cell,
    "fragments": fragments, "chain": chain, "direct": direct, "invite-code": invite_code, "words": words,
    "frames": documents.frames, "rows": documents.rows, "bundle": documents.bundle, "roster": documents.roster,
}


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def main(directory):
    for layer, cases in LAYERS.items():
        place = pathlib.Path(directory) / layer
        place.mkdir(parents=True, exist_ok=True)
        for name, case in cases():
            text = json.dumps(plain(case), indent=2, ensure_ascii=False)
            (place / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
