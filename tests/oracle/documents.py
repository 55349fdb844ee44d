"""The vectors of frames, registry documents, bundles and roster entries; see `generate.py`."""

import struct

import device as d
import primitives as p

CODE = "relay.example/000G4-0R40M-30E20-9185G-R38E1-WP8GB"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
START = 1_800_000_000
TEAM = bytes(range(7, 39))


def counting(first, size):
    return bytes((first + at) % 251 for at in range(size))


def flipped(data, at):
    """With the lowest bit of a byte changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def long(data):
    return struct.pack(">H", len(data)) + data


# Codes


def power(exponent):
    """a to the power, in GF(2)[a]/(a^5 + a^2 + 1)."""
    value = 1
    for _ in range(exponent % 31):
        value <<= 1
        if value & 32:
            value ^= 0b100101
    return value


LOGS = {power(exponent): exponent for exponent in range(31)}


def times(left, right):
    return power(LOGS[left] + LOGS[right]) if left and right else 0


def symbols_of(secret, last_bits=0):
    """I2 and I3: 26 symbols and the 4 that make them a Reed-Solomon word."""
    value = int.from_bytes(secret, "big") << 2 | last_bits
    data = [value >> (5 * (25 - at)) & 31 for at in range(26)]
    generator = [1]
    for root in range(1, 5):
        shifted, scaled = generator + [0], [0] + [times(power(root), it) for it in generator]
        generator = [one ^ other for one, other in zip(shifted, scaled)]
    rest = data + [0] * 4
    for at in range(26):
        lead = rest[at]
        for nth, factor in enumerate(generator):
            rest[at + nth] ^= times(lead, factor)
    text = "".join(ALPHABET[value] for value in data + rest[26:])
    return "-".join(text[at : at + 5] for at in range(0, 30, 5))


def secret_of(code):
    value = 0
    for symbol in code.split("/")[1].replace("-", "")[:26]:
        value = value << 5 | ALPHABET.index(symbol)
    return (value >> 2).to_bytes(16, "big")


# Frames


def frames():
    request = struct.Struct(">I").pack
    ids = [bytes(range(first, first + 16)) for first in range(4)]
    cells = [counting(first, d.CELL) for first in range(4)]
    blob, secret, chunk = b"\x06" * 32, b"\x05" * 32, b"data"
    invite, bundle, document = b"\x01" * 16, b"bundle", claim()
    log, hashed = bytes(range(9, 25)), b"\x08" * 32

    def records(count):
        return bytes([count]) + b"".join(ids[at] + cells[at] for at in range(count))

    def names(count):
        return {"ids": ids[:count], "cells": cells[:count]}

    def case(says, to_device, plain, more, size=None):
        direction = "to-device" if to_device else "to-relay"
        # The zeros up to the size are left out.
        size = size or len(d.padded(plain))
        return {"says": says, "direction": direction, "size": size, "bytes": plain, **more}

    def good(name, says, number, body, **fields):
        fields = {"fields": {"op": fields.pop("op", name), **fields}}
        return name, case(says, number > 128, bytes([0, number]) + body, fields)

    def bad(name, says, number, body, fault, flags=0, size=None):
        return name, case(says, number > 128, bytes([flags, number]) + body, {"fault": fault}, size)

    end = struct.Struct(">I16sB")
    yield good("hello", "HELLO", 1, struct.pack(">HHHQ", 1, 3, 0, 42), min=1, max=3, lane=0, resume=42)
    yield good("put", "PUT of two cells", 2, b"\0\0" + request(7) + records(2), lane=0, request=7, **names(2))
    yield good("seen", "SEEN", 3, struct.pack(">HQ", 0, 4096), lane=0, seq=4096)
    put = b"\0\0" + request(8) + secret
    yield good("blob-put", "BPUT of the last of two chunks", 4, put + struct.pack(">HH", 1, 2) + long(chunk),
               lane=0, request=8, secret=secret, index=1, count=2, chunk=chunk)
    yield good("blob-get", "BGET", 5, b"\0\0" + request(9) + blob + b"\0\3", lane=0, request=9, id=blob, index=3)
    yield good("blob-delete", "BDEL", 6, b"\0\0" + request(10) + secret, lane=0, request=10, secret=secret)
    yield good("rows", "ROWS", 7, request(11) + long(document), request=11, document=document)
    asked = request(12) + invite + b"\x02" * 32 + b"\x03" * 32 + struct.pack(">Q", START) + long(bundle)
    yield good("invite", "INVITE", 8, asked, request=12, id=invite, gate=b"\x02" * 32, psk=b"\x03" * 32,
               expires=START, bundle=bundle)
    for code, kind in enumerate(("enrolled", "refused", "revoked"), 1):
        yield good(f"invite-end-{kind}", f"INVITE-END: {kind}", 9, end.pack(13, invite, code),
                   op="invite-end", request=13, id=invite, end=kind)
    yield good("join", "JOIN of one cell", 10, request(14) + records(1), request=14, **names(1))
    yield good("ping", "PING", 11, b"")
    base = struct.Struct(">HIQ").pack
    yield good("base", "BASE: the log goes on after seq 4,096", 12, base(0, 15, 4096) + hashed, lane=0, request=15, seq=4096,
               hash=hashed)
    yield "ping-rekey", case("PING after which the sender rekeys", False, b"\x01\x0b", {"fields": {"op": "ping"}})
    head = struct.pack(">HH", 1, 0) + log + struct.pack(">QQ", 5, 99) + hashed
    yield good("welcome", "WELCOME", 129, head + b"\1" + struct.pack(">Q", 1 << 30), version=1, lane=0, log=log,
               oldest=5, head=99, hash=hashed, admin=True, blob_quota=1 << 30)
    yield good("invite-welcome", "the WELCOME of an invite connection", 130, b"\0\1" + bytes(9) + long(bundle),
               version=1, state="open", at=0, bundle=bundle)
    yield good("no-version", "no common version", 131, struct.pack(">HH", 2, 4), min=2, max=4)
    yield good("ack", "ACK of two cells", 132, request(7) + b"\2" + struct.pack(">QQ", 100, 101), request=7, seqs=[100, 101])
    yield good("push", "PUSH of four cells", 133, struct.pack(">HQ", 0, 100) + hashed + records(4), lane=0, first=100,
               hash=hashed, **names(4))
    yield good("gap", "GAP", 134, struct.pack(">HQ", 0, 77), lane=0, oldest=77)
    yield good("done", "DONE", 135, request(11), request=11)
    for code, kind in enumerate(FAILS, 1):
        yield good(f"fail-{kind}", f"FAIL: {kind}", 136, struct.pack(">IHI", 12, code, 250), op="fail", request=12,
                   code=kind, retry_ms=250)
    yield good("blob", "BLOB", 137, request(9) + b"\0\2" + long(chunk), request=9, count=2, chunk=chunk)
    yield good("announce", "a blob came to be", 138, struct.pack(">HH", 0, 1) + blob + struct.pack(">Q", 1234), lane=0,
               blobs=[[blob, 1234]])
    for code, state in enumerate(("open", "waiting", "refused", "used", "enrolled")):
        at = START if state == "used" else 0
        yield good(f"join-{state}", f"JOIN state: {state}", 139, struct.pack(">BQ", code, at), op="join", state=state, at=at)
    for code, kind in enumerate(("draining", "retry-after", "over-quota", "low-disk", "moved"), 1):
        yield good(f"notice-{kind}", f"NOTICE: {kind}", 140, struct.pack(">BI", code, 3000), op="notice", kind=kind, retry_ms=3000)
    yield good("pong", "PONG", 141, b"")
    yield good("invite-reused", "INVITE-REUSED", 142, bytes([11]) * 16 + struct.pack(">Q", START), id=bytes([11]) * 16,
               at=START)

    yield bad("limit-base", "BASE above 2^56", 12, base(0, 15, (1 << 56) + 1) + hashed, "limit")
    yield bad("limit-61-cells", "PUT that says 61 cells", 2, b"\0\0" + request(7) + b"\x3d", "limit", size=62464)
    yield bad("limit-no-cells", "PUT of no cells", 2, b"\0\0" + request(7) + b"\0", "limit")
    yield bad("limit-ack", "ACK of no cells", 132, request(7) + b"\0", "limit")
    yield bad("limit-empty-chunk", "a chunk of no bytes", 4, put + struct.pack(">HHH", 0, 2, 0), "limit")
    yield bad("limit-join-17-cells", "JOIN that says 17 cells", 10, request(7) + b"\x11", "limit", size=62464)
    for op in range(32, 36):
        yield bad(f"reserved-op-{op}", "an operation kept for later", op, b"", "reserved-op")
    yield bad("unknown-op", "an operation nobody defined", 99, b"", "unknown-op")
    yield "unknown-op-direction", case("a WELCOME from a device", False, b"\0\x81", {"fault": "unknown-op"})
    yield "unknown-op-to-device", case("a HELLO from a relay", True, b"\0\1", {"fault": "unknown-op"})
    yield bad("size-between", "a size that no frame has", 11, b"", "size", size=1105)
    yield bad("size-empty", "no bytes", 11, b"", "size", size=2)
    yield bad("trailing", "padding that is not zero", 11, b"\0\0\1", "trailing")
    yield bad("truncated-put", "PUT of two cells in the room of one", 2, b"\0\0" + request(7) + b"\2", "truncated")
    yield bad("value-admin", "an admin flag of 2", 129, head + b"\2" + bytes(8), "value")
    yield bad("value-chunk-index", "chunk 2 of 2", 4, put + struct.pack(">HH", 2, 2) + long(chunk), "value")
    yield bad("value-flags", "a flag nobody defined", 11, b"", "value", flags=2)
    yield bad("value-invite-end", "an end nobody defined", 9, end.pack(13, invite, 4), "value")
    yield bad("value-join-time", "a time where none belongs", 139, struct.pack(">BQ", 1, 5), "value")
    yield bad("value-push-first", "PUSH from seq 0", 133, struct.pack(">HQ", 0, 0) + hashed + records(1), "value")


FAILS = ("conflict", "over-quota", "denied", "unknown", "low-disk", "too-large", "stale", "ended", "unavailable")

# Registry documents

ROOT, AUTHORITY = b"\x71" * 32, b"\x72" * 32
ACCESS, SECOND = bytes(range(1, 33)), bytes(range(0x5A, 0x7A))


def row(access, byte, admin):
    return access + d.transport_hash(access, p.KeyPair(bytes([byte]) * 32).public) + bytes([admin])


def signed(key, body, label=b"staffetta 1 rows"):
    return body + p.sign(key, label, body)


def registry(head, added=(), removed=(), addresses=()):
    out = head + p.ed25519_public(AUTHORITY)
    for rows_ in (added, removed, [long(it) for it in addresses]):
        out += struct.pack(">H", len(rows_)) + b"".join(rows_)
    return out


def claim():
    head = struct.pack(">BBQ", 1, 1, 1) + bytes(32) + b"\1" + TEAM + p.ed25519_public(ROOT)
    return signed(ROOT, registry(head, added=[row(ACCESS, 0x11, 1)], addresses=[b"relay.example:7443"]))


def rows():
    first, old = claim(), d.transport_hash(ACCESS, p.KeyPair(b"\x11" * 32).public)

    def head(layout=1, signer=0):
        return struct.pack(">BBQ", layout, signer, 2) + p.blake2s(first) + b"\0"

    def case(says, document, **more):
        keys = {"root": p.ed25519_public(ROOT), "authority": p.ed25519_public(AUTHORITY)}
        return {"says": says, **keys, "document": document, **more}

    def hashed(document):
        return {"hash": p.blake2s(document)}

    body = registry(head(), added=[row(SECOND, 0x13, 0)], removed=[old])
    good = signed(AUTHORITY, body)
    yield "valid-claim", case(
        "version 1 claims the relay for a team", first, **hashed(first), version=1, signer="root", team=TEAM,
        accesses=[ACCESS], admins=[True], removed=[], addresses=["relay.example:7443"],
    )
    yield "valid-next", case(
        "the authority adds a row and removes one", good, **hashed(good), version=2, previous=p.blake2s(first),
        signer="authority", accesses=[SECOND], admins=[False], removed=[old], addresses=[],
    )
    spare = struct.pack(">BBQ", 1, 0, (1 << 32) + 1) + bytes(32) + b"\1" + TEAM + p.ed25519_public(ROOT)
    spare = signed(AUTHORITY, registry(spare, added=[row(ACCESS, 0x11, 1)], addresses=[b"spare.example:7443"]))
    yield "valid-spare", case(
        "the authority it names makes a spare relay the team's", spare, **hashed(spare), version=(1 << 32) + 1,
        signer="authority", team=TEAM, accesses=[ACCESS], admins=[True], removed=[], addresses=["spare.example:7443"],
    )
    label = b"staffetta 1 rows"
    for name, says, document in [
        ("limit-addresses", "nine addresses", signed(AUTHORITY, registry(head(), addresses=[b"a:1"] * 9))),
        ("trailing", "a byte after the last address", signed(AUTHORITY, body + b"\0")),
        ("truncated", "ends inside the rows", signed(AUTHORITY, body[: len(head()) + 32 + 2 + 61])),
        ("truncated-no-signature", "shorter than a signature", body[:63]),
        ("value-address", "an address that is no UTF-8", signed(AUTHORITY, registry(head(), addresses=[b"\xff\xfe"]))),
        ("value-admin-flag", "an admin flag of 2", signed(AUTHORITY, registry(head(), added=[row(SECOND, 0x13, 2)]))),
        ("value-flipped", "a bit of the previous hash was flipped", flipped(good, 20)),
        ("value-label", "signed without the label", body + unlabelled(AUTHORITY, body)),
        ("value-layout", "a layout nobody defined", signed(AUTHORITY, registry(head(layout=2)))),
        ("value-signature", "signed by the root, and says the authority", signed(ROOT, body, label)),
        ("value-signer", "a signer nobody defined", signed(AUTHORITY, registry(head(signer=2)))),
    ]:
        yield name, case(says, document, fault="-".join(name.split("-")[:1]))


def unlabelled(key, body):
    return p.Ed25519PrivateKey.from_private_bytes(key).sign(body)


# Bundles


def texts(*addresses):
    return bytes([len(addresses)]) + b"".join(long(it.encode()) for it in addresses)


def member_bundle(version=1, role=1, auto=0, team=None, inviter="Karim", expires=START + 86_400):
    head = struct.pack(">BBBBBQ", version, 1, 1, role, auto, expires) + b"\x03" * 32
    head += team or long("Campagne 2027".encode())
    head += texts("relay.example:7443", "[2001:db8::1]:9000")
    return head + b"\x01" * 32 + long(inviter.encode()) + struct.pack(">I", 7) + b"\x02" * 32


def bundle():
    _, derive = d.founder(CODE)
    key, invite = derive(b"k_bundle"), derive(b"id", 16)

    def seal(plain, padding=b"\0"):
        nonce = bytes(range(24))
        return nonce + p.xchacha_seal(key, nonce, plain.ljust(1024, padding), invite)

    def valid(says, plain):
        return {"says": says, "code": CODE, "sealed": seal(plain), "plain": plain, "hash": p.blake2s(plain)}

    member, sealed = member_bundle(), seal(member_bundle())
    founder = struct.pack(">BBBBBQ", 1, 0, 1, 0, 0, 2**64 - 1) + b"\x03" * 32 + long(b"") + texts("relay.example:7443")
    yield "valid-member", valid("a member's bundle, padded to 1,024 bytes", member)
    yield "valid-founder", valid("a founder's bundle: no root, no team name, no end", founder)
    spare = struct.pack(">BBBBBQ", 1, 2, 0, 0, 0, 2**64 - 1) + b"\x03" * 32 + long(b"") + texts("spare.example:7443")
    yield "valid-spare", valid("a spare relay's bundle: no root and no team", spare)
    too_long = b"\xff\xff" + "Campagne 2027".encode()
    for name, says, box, fault in [
        ("malformed-admin-without-words", "an admin who would be approved without the words", seal(member_bundle(role=0, auto=1)), ""),
        ("malformed-bidi", "the inviter's name turns the writing direction", seal(member_bundle(inviter="Ka\u202erim")), ""),
        ("malformed-padding", "the padding is not zeros", seal(member, padding=b"\1"), ""),
        ("malformed-spare-of-a-team", "a spare relay's bundle that names a team",
         seal(struct.pack(">BBBBBQ", 1, 2, 0, 0, 0, 2**64 - 1) + b"\x03" * 32 + long(b"Campagne") + texts("spare.example:7443")), ""),
        ("malformed-text-too-long", "the team name claims more bytes than a name has", seal(member_bundle(team=too_long)), ""),
        ("seal", "the last byte of the authentication tag is changed", flipped(sealed, len(sealed) - 1), "seal"),
        ("size", "a byte is missing", sealed[:-1], "size"),
        ("version", "version 2", seal(member_bundle(version=2)), "version"),
    ]:
        yield name, {"says": says, "code": CODE, "sealed": box, "fault": fault or "malformed"}


# Roster


def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    width = next(width for width, limit in enumerate((8, 16, 32, 64)) if value < 1 << limit)
    return bytes([major << 5 | 24 + width]) + value.to_bytes(1 << width, "big")


class Long(int):
    """A number in nine bytes, whatever it is."""


def cbor(value):
    """Deterministic CBOR (RFC 8949 section 4.2.1) of what entries are made of."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, Long):
        return b"\x1b" + value.to_bytes(8, "big")
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b"".join(cbor(item) for item in value)


class Person:
    def __init__(self, byte, name):
        self.identity, self.name = bytes([byte]) * 32, name
        self.public = p.ed25519_public(self.identity)
        self.id = p.blake2s(b"staffetta 1 device id" + self.public)[:16]


LABEL = b"staffetta 1 roster entry"
KARIM, ZOE, PAUL = Person(0x22, "Karim"), Person(0x33, "Zo\u00eb"), Person(0x44, "Paul")


def entry(number, prev, author, at, kind, body, key, version=1, trailing=b""):
    data = cbor([version, number, prev, author, at, kind, body]) + trailing
    return data, cbor([data, p.sign(key, LABEL, data)])


def entry_hash(data):
    return p.blake2s(LABEL + b"\0" + data)


def added(person, nth, role, voucher, compared, invite, name=None, public=None):
    member, direct = bytes([0xA0 + nth]) * 16, bytes([nth]) * 32
    return [member, name or person.name, "computer", role, public or person.public, direct, voucher, compared, invite, None]


def roster():
    root, invite = b"\x11" * 32, b"\x07" * 16
    first = entry(0, bytes(32), None, START, 0, [p.ed25519_public(root), "Campagne 2027", 1], root)
    body = added(KARIM, 1, 0, None, True, None)
    second = entry(1, entry_hash(first[0]), None, START + 1, 1, body, root)
    body = added(ZOE, 2, 1, KARIM.id, True, invite)
    third = entry(2, entry_hash(second[0]), KARIM.id, START + 2, 1, body, KARIM.identity)
    prev, entries = entry_hash(third[0]), [first[1], second[1], third[1]]

    def fourth(kind=2, body=None, by=KARIM, author=None, key=None, number=3, prev=prev, at=START + 3, **more):
        body = [ZOE.id] if body is None else body
        return entry(number, prev, author or by.id, at, kind, body, key or by.identity, **more)

    def paul(**more):
        return added(PAUL, 3, 1, KARIM.id, True, **{"invite": None, **more})

    last = fourth()
    yield "valid", {
        "says": "founding, the first admin by the root, a member by the admin, her revocation",
        "entries": entries + [last[1]], "team": entry_hash(first[0]), "head": entry_hash(last[0]), "active": [KARIM.id],
    }
    later = fourth(10, [b"\x03" * 32, ["spare.example:7443"], bytes(range(9, 25)), 600])
    yield "valid-next-relay", {
        "says": "an admin names the next relay, where everybody goes after ten minutes without the present one",
        "entries": entries + [later[1]], "team": entry_hash(first[0]), "head": entry_hash(later[0]),
        "active": sorted([KARIM.id, ZOE.id]),
    }
    karim = [KARIM.id]
    for name, says, made in [
        ("invite-used", "the invite brought in entry 2", fourth(1, paul(invite=invite))),
        ("key-reused", "a device key of another device", fourth(1, paul(public=ZOE.public))),
        ("last-admin", "the last admin leaves", fourth(body=karim)),
        ("malformed-not-canonical", "the time is written in nine bytes where five do", fourth(at=Long(START + 3))),
        ("malformed-not-nfc", "the name is not NFC", fourth(1, paul(name="Zoe\u0308"))),
        ("malformed-next-relay", "a next relay after four seconds", fourth(10, [b"\x03" * 32, ["spare.example:7443"], b"\x09" * 16, 4])),
        ("malformed-trailing", "a byte behind the entry", fourth(trailing=b"\0")),
        ("name-taken", "a second Karim", fourth(1, paul(name="KARIM"))),
        ("not-allowed", "a member revokes an admin", fourth(body=karim, by=ZOE)),
        ("not-next-lost-race", "the entry continues entry 1, which another one already does",
         fourth(number=2, prev=entry_hash(second[0]))),
        ("not-next-other-prev", "the right number behind another entry", fourth(prev=bytes(32))),
        ("signature", "signed by another key than the author's", fourth(key=ZOE.identity)),
        ("unknown-action", "action 99", fourth(99, [])),
        ("unknown-author", "the author is not on the roster", fourth(author=b"\x99" * 16)),
        ("version", "version 2", fourth(version=2)),
    ]:
        yield name, {"says": says, "entries": entries, "entry": made[1], "fault": fault_of(name)}


def fault_of(name):
    return next((it for it in ("malformed", "not-next") if name.startswith(it)), name)
