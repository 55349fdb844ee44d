"""A small device, written from the specification and nothing else: gate, hop, frames, log, cells.

It claims a fresh relay with its founder code, enrols two devices, and lets one send what the other
reads. Arguments: the founder code, the relay's fingerprint, and the directory of the test vectors.
Each check is one line on stdout; the first that fails ends it with 1. Rules are named as in
`protocol/spec/`.
"""

import base64
import json
import os
import pathlib
import socket
import struct
import sys
import time

import primitives as p

CELL, RECORD, FRAMES = 1024, 1040, (1104, 4224, 16704, 62464)
PROLOGUE = b"staffetta/\x01"
HELLO, PUT, SEEN, ROWS, PING = 1, 2, 3, 7, 11
WELCOME, INVITE_WELCOME, ACK, PUSH, DONE, FAIL, PONG = 129, 130, 132, 133, 135, 136, 141


def check(rule, holds):
    if not holds:
        sys.exit(f"{rule}: does not hold")
    print(f"{rule}: holds")


# 01 The gate


def fingerprint(public):
    return p.blake2s(b"staffetta 1 relay key" + public)


def gate_key(access):
    return p.blake2s(b"staffetta 1 gate key", key=access)


def hop_psk(access):
    return p.blake2s(b"staffetta 1 hop psk", key=access)


def handle(key, window, k):
    data = b"staffetta 1 gate handle " + struct.pack(">QB", window, k)
    return p.blake2s(data, key=key, size=16)


def token(key, relay, now, nonce, k):
    head = handle(key, now // 600, k) + struct.pack(">I", now) + nonce
    mac = p.blake2s(b"staffetta 1 gate token " + head + fingerprint(relay), key=key, size=16)
    return base64.urlsafe_b64encode(head + mac).rstrip(b"=")


class Refused(Exception):
    """The gate answered, and not with 101."""


class Socket:
    """One WebSocket (RFC 6455), binary messages only."""

    def __init__(self, address, bearer):
        self.stream, self.buffer = socket.create_connection(address, timeout=20), b""
        key = base64.b64encode(os.urandom(16))
        self.stream.sendall(
            b"GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n"
            b"Authorization: Bearer " + bearer + b"\r\n\r\n"
        )
        while b"\r\n\r\n" not in self.buffer:
            more = self.stream.recv(65536)
            if not more:
                raise Refused(self.buffer)
            self.buffer += more
        self.head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if not self.head.startswith(b"HTTP/1.1 101 "):
            while more := self.stream.recv(65536):
                self.buffer += more
            raise Refused(self.head + b"\r\n\r\n" + self.buffer)

    def send(self, data):
        mask = os.urandom(4)
        long = (mask * (len(data) // 4 + 1))[: len(data)]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(long, "big")).to_bytes(len(data), "big")
        self.stream.sendall(b"\x82\xfe" + struct.pack(">H", len(data)) + mask + masked)

    def _take(self, size):
        while len(self.buffer) < size:
            more = self.stream.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def receive(self):
        first, size = self._take(2)
        if first == 0x88:
            raise EOFError
        check_quiet("H6 one binary message a frame", first == 0x82 and size == 126)
        return self._take(struct.unpack(">H", self._take(2))[0])


def check_quiet(rule, holds):
    if not holds:
        check(rule, False)


# 02 The hop and 03 frames


def padded(plain):
    """F1: zeros up to the smallest of the four sizes."""
    return plain.ljust(next(size for size in FRAMES if size >= len(plain)), b"\0")


class Hop:
    """A session behind the gate."""

    def __init__(self, address, key, psk, static, relay=None):
        seen = relay if relay else bytes(32)
        bearer = token(key, seen, int(time.time()), os.urandom(16), os.urandom(1)[0] % 16)
        self.socket = Socket(address, bearer)
        pattern, sizes = ("XK", (1072, 1056)) if relay else ("XX", (1072, 1056))
        noise = p.Initiator(pattern, PROLOGUE, psk, static, p.KeyPair(os.urandom(32)), relay)
        self.socket.send(noise.first(bytes(sizes[0])))
        noise.second(self.socket.receive())
        self.socket.send(noise.third(bytes(sizes[1])))
        self.relay, (self.out, self.into) = noise.remote, noise.split()

    def send(self, op, fields=b"", flags=0):
        self.socket.send(self.out.encrypt(padded(bytes([flags, op]) + fields)))
        if flags & 1:
            self.out.rekey()

    def receive(self, wanted):
        """The fields of the next frame of that kind; what comes between is left out."""
        while True:
            sealed = self.socket.receive()
            check_quiet("H6 four sizes", len(sealed) - 16 in FRAMES)
            plain = self.into.decrypt(sealed)
            if plain[0] & 1:
                self.into.rekey()
            if plain[1] == wanted:
                return plain[2:]
            check_quiet(f"no FAIL while waiting for {wanted}", plain[1] != FAIL)

    def hello(self, resume):
        self.send(HELLO, struct.pack(">HHHQ", 1, 1, 0, resume))


# 08 The founder code, and 06 the registry


def founder(code):
    """I1, I2, I4."""
    host, symbols = code.split("/")
    name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "7443")
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    value = 0
    for symbol in symbols.replace("-", "")[:26]:
        value = value << 5 | alphabet.index(symbol)
    secret = (value >> 2).to_bytes(16, "big")

    def derive(info, size=32):
        return p.hkdf(secret, b"staffetta 1 invite", info, size)

    return (name.strip("[]"), int(port)), derive


def transport_hash(access, public):
    return p.blake2s(b"staffetta 1 transport " + public, key=access)


def rows(root, team, devices):
    """S2: version 1, with a claim."""
    body = struct.pack(">BBQ", 1, 1, 1) + bytes(32)
    body += b"\1" + team + p.ed25519_public(root) + p.ed25519_public(root)
    body += struct.pack(">H", len(devices))
    for device in devices:
        body += device.access + transport_hash(device.access, device.transport.public) + b"\1"
    body += struct.pack(">HH", 0, 0)
    return body + p.sign(root, b"staffetta 1 rows", body)


# 05 Cells


class Channel:
    def __init__(self, secret):
        self.tag_key = p.blake2s(b"staffetta 1 cell tag", key=secret)
        self.seal_key = p.blake2s(b"staffetta 1 cell seal", key=secret)

    def seal(self, nonce, fragment):
        tag = p.blake2s(nonce, key=self.tag_key, size=16)
        return tag + nonce + p.xchacha_seal(self.seal_key, nonce, fragment)

    def open(self, cell):
        tag, nonce, body = cell[:16], cell[16:40], cell[40:]
        if p.blake2s(nonce, key=self.tag_key, size=16) != tag:
            return None
        return p.xchacha_open(self.seal_key, nonce, body)


def fragments(kind, message):
    """C5, C6: from the last to the first."""
    parts = [message[at : at + 945] for at in range(0, len(message), 945)] or [b""]
    following, out = bytes(16), []
    for index, part in reversed(list(enumerate(parts))):
        head = struct.pack(">HHHB", index, len(parts), len(part), kind)
        fragment = head + following + part.ljust(945, b"\0")
        following = p.blake2s(b"staffetta 1 fragment" + fragment)[:16]
        out.insert(0, fragment)
    return out


def joined(chain):
    expected, message = None, b""
    for fragment in chain:
        if expected is not None:
            found = p.blake2s(b"staffetta 1 fragment" + fragment)[:16]
            check_quiet("C6 the chain's hash", found == expected)
        length = struct.unpack(">H", fragment[4:6])[0]
        expected, message = fragment[7:23], message + fragment[23 : 23 + length]
    check_quiet("C5 the last expects nothing", expected == bytes(16))
    return message


# 04 The log


def running_hash(before, cell_id, cell):
    return p.blake2s(before + cell_id + cell)


class Device:
    def __init__(self):
        self.access = os.urandom(32)
        self.transport = p.KeyPair(os.urandom(32))

    def connect(self, address, relay, resume):
        psk = hop_psk(self.access)
        hop = Hop(address, gate_key(self.access), psk, self.transport, relay)
        hop.hello(resume)
        version, lane, log, oldest, head, hashed, admin, _ = struct.unpack(
            ">HH16sQQ32sBQ", hop.receive(WELCOME)[:77]
        )
        check_quiet("WELCOME", version == 1 and lane == 0 and admin == 1)
        return hop, log, head, hashed


def put(hop, request, records):
    body = struct.pack(">HIB", 0, request, len(records)) + b"".join(records)
    hop.send(PUT, body)
    fields = hop.receive(ACK)
    answered, count = struct.unpack(">IB", fields[:5])
    check_quiet("ACK", answered == request and count == len(records))
    return struct.unpack(f">{count}Q", fields[5 : 5 + 8 * count])


def read(hop, seq, hashed, cells):
    """F9, L4: the next cells, each PUSH checked against its own hash."""
    out = []
    while len(out) < cells:
        fields = hop.receive(PUSH)
        lane, first, after, count = struct.unpack(">HQ32sB", fields[:43])
        check_quiet("L4 begins at the next seq", lane == 0 and first == seq + 1)
        for at in range(count):
            record = fields[43 + at * RECORD : 43 + (at + 1) * RECORD]
            hashed = running_hash(hashed, record[:16], record[16:])
            out.append(record)
        check_quiet("L4 the running hash", hashed == after)
        seq += count
    return out, seq, hashed


def live(code, printed):
    address, derive = founder(code)
    stranger = base64.urlsafe_b64encode(os.urandom(52)).rstrip(b"=")
    try:
        Socket(address, stranger)
        check("G7 a wrong token", False)
    except Refused as refused:
        page = b"<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>\r\n"
        answer = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 91\r\nConnection: close\r\n\r\n"
        check("G7 a wrong token gets these bytes and no others", refused.args[0] == answer + page)

    hop = Hop(address, derive(b"gate_r"), derive(b"psk_r"), p.KeyPair(os.urandom(32)))
    hop.hello(0)
    fields = hop.receive(INVITE_WELCOME)
    size = struct.unpack(">H", fields[11:13])[0]
    sealed = fields[13 : 13 + size]
    bundle = p.xchacha_open(derive(b"k_bundle"), sealed[:24], sealed[24:], derive(b"id", 16))
    check("I6 the founder's bundle opens", bundle is not None and bundle[:2] == b"\1\0")
    relay = bundle[13:45]
    check("H5 the bundle names the relay's static key", relay == hop.relay)
    shown = fingerprint(relay).hex()
    check("the fingerprint is the printed one", shown == "".join(filter(str.isalnum, printed)).lower())

    devices, root, team = [Device(), Device()], os.urandom(32), os.urandom(32)
    document = rows(root, team, devices)
    hop.send(ROWS, struct.pack(">IH", 7, len(document)) + document)
    check("S4 the relay is claimed", hop.receive(DONE)[:4] == struct.pack(">I", 7))

    first, second = devices
    writer, log, head, hashed = first.connect(address, relay, 0)
    start = p.blake2s(b"staffetta 1 log" + team + struct.pack(">H", 0) + log)
    check("L1 h(0)", head == 0 and hashed == start)
    reader, *_ = second.connect(address, relay, 0)

    secret = os.urandom(32)
    channel, text = Channel(secret), os.urandom(2500)
    cells = [channel.seal(os.urandom(24), fragment) for fragment in fragments(3, text)]
    records = [os.urandom(16) + cell for cell in cells]
    placed = put(writer, 1, records)
    check("F8 places follow one another", placed == (1, 2, 3))
    check("F8 the same cells again have the same places", put(writer, 2, records) == placed)
    came, seq, hashed = read(reader, 0, start, 3)
    check("F9 what was put is pushed, byte for byte", came == records)
    opened = [channel.open(record[16:]) for record in came]
    check("C3 to C8 the message comes back", joined(opened) == text)
    check("C3 another channel opens nothing", Channel(os.urandom(32)).open(came[0][16:]) is None)

    writer.send(PING, flags=1)
    writer.receive(PONG)
    many = [os.urandom(16) + os.urandom(CELL) for _ in range(60)]
    put(writer, 3, many)
    check("H7 a rekey is followed", read(reader, seq, hashed, 60)[0] == many)
    reader.send(SEEN, struct.pack(">HQ", 0, 63))
    _, same, head, hashed = second.connect(address, relay, 64)
    expected = start
    for record in records + many:
        expected = running_hash(expected, record[:16], record[16:])
    check("L3 head and hash after a return", (same, head, hashed) == (log, 63, expected))

    stolen = Device()
    stolen.access = first.access
    try:
        stolen.connect(address, relay, 0)
        check("H9 another transport key", False)
    except (EOFError, ConnectionError):
        check("H9 a stolen access secret without its transport key gets nothing", True)
    # S12: a used code still passes the gate, to be told when it was used, and does nothing more.
    hop = Hop(address, derive(b"gate_r"), derive(b"psk_r"), p.KeyPair(os.urandom(32)))
    hop.hello(0)
    state, at = struct.unpack(">BQ", hop.receive(INVITE_WELCOME)[2:11])
    check("S12 a second user is told when the code was used", state == 3 and abs(at - time.time()) < 60)


if __name__ == "__main__":
    import vectors

    vectors.follow(pathlib.Path(sys.argv[3]))
    live(sys.argv[1], sys.argv[2])
    print(json.dumps({"oracle": "agrees"}))
