"""Hashes, ciphers and Noise as the specification names them, on hashlib and cryptography."""

import hashlib
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def blake2s(data, key=b"", size=32):
    return hashlib.blake2s(data, key=key, digest_size=size).digest()


def hkdf(secret, salt, info, size):
    return HKDF(algorithm=SHA256(), length=size, salt=salt, info=info).derive(secret)


def sign(seed, label, data):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(label + b"\0" + data)


def ed25519_public(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(*RAW)


class KeyPair:
    def __init__(self, private):
        self.key = X25519PrivateKey.from_private_bytes(private)
        self.public = self.key.public_key().public_bytes(*RAW)

    def agree(self, public):
        return self.key.exchange(X25519PublicKey.from_public_bytes(public))


def hchacha20(key, nonce):
    """draft-irtf-cfrg-xchacha section 2.2."""
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for left, right, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[left] = (state[left] + state[right]) & 0xFFFFFFFF
            word = state[mixed] ^ state[left]
            state[mixed] = ((word << turn) | (word >> (32 - turn))) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for row in range(4):
            quarter(row, 4 + (row + 1) % 4, 8 + (row + 2) % 4, 12 + (row + 3) % 4)
    return struct.pack("<8I", *state[:4], *state[12:])


def xchacha_seal(key, nonce, data, associated=b""):
    inner = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    return inner.encrypt(b"\0\0\0\0" + nonce[16:], data, associated)


def xchacha_open(key, nonce, data, associated=b""):
    inner = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    try:
        return inner.decrypt(b"\0\0\0\0" + nonce[16:], data, associated)
    except InvalidTag:
        return None


class Cipher:
    """CipherState of Noise section 5.1."""

    def __init__(self, key):
        self.key, self.count = key, 0

    def _nonce(self):
        nonce = b"\0\0\0\0" + struct.pack("<Q", self.count)
        self.count += 1
        return nonce

    def encrypt(self, data, associated=b""):
        return ChaCha20Poly1305(self.key).encrypt(self._nonce(), data, associated)

    def decrypt(self, data, associated=b""):
        return ChaCha20Poly1305(self.key).decrypt(self._nonce(), data, associated)

    def rekey(self):
        """Noise sections 4.2 and 11.3: the nonce of the REKEY itself is 2^64 - 1."""
        top = b"\0\0\0\0" + b"\xff" * 8
        self.key = ChaCha20Poly1305(self.key).encrypt(top, b"\0" * 32, b"")[:32]


def hmac(key, data):
    """HMAC of Noise section 4.3 over BLAKE2s (block of 64 bytes)."""
    key = key.ljust(64, b"\0")
    inner = blake2s(bytes(byte ^ 0x36 for byte in key) + data)
    return blake2s(bytes(byte ^ 0x5C for byte in key) + inner)


def noise_hkdf(chaining, material, outputs):
    key, last, out = hmac(chaining, material), b"", []
    for index in range(outputs):
        last = hmac(key, last + bytes([index + 1]))
        out.append(last)
    return out


class Initiator:
    """XKpsk0 and XXpsk0 as initiator, with the messages' payloads given."""

    def __init__(self, pattern, prologue, psk, static, ephemeral, remote=None):
        name = f"Noise_{pattern}psk0_25519_ChaChaPoly_BLAKE2s".encode()
        self.hash = name.ljust(32, b"\0") if len(name) <= 32 else blake2s(name)
        self.chaining, self.cipher = self.hash, None
        self.static, self.ephemeral, self.psk = static, ephemeral, psk
        self.remote, self.pattern = remote, pattern
        self._mix_hash(prologue)
        if pattern == "XK":
            self._mix_hash(remote)

    def _mix_hash(self, data):
        self.hash = blake2s(self.hash + data)

    def _mix_key(self, material):
        self.chaining, key = noise_hkdf(self.chaining, material, 2)
        self.cipher = Cipher(key)

    def _mix_psk(self):
        self.chaining, mixed, key = noise_hkdf(self.chaining, self.psk, 3)
        self._mix_hash(mixed)
        self.cipher = Cipher(key)

    def _public(self, key):
        """An ephemeral key: with a psk it is mixed into the key as well (section 9.2)."""
        self._mix_hash(key)
        self._mix_key(key)

    def _seal(self, data):
        sealed = self.cipher.encrypt(data, self.hash)
        self._mix_hash(sealed)
        return sealed

    def _open(self, data):
        opened = self.cipher.decrypt(data, self.hash)
        self._mix_hash(data)
        return opened

    def first(self, payload):
        self._mix_psk()
        self._public(self.ephemeral.public)
        if self.pattern == "XK":
            self._mix_key(self.ephemeral.agree(self.remote))
        return self.ephemeral.public + self._seal(payload)

    def second(self, message):
        theirs, rest = message[:32], message[32:]
        self._public(theirs)
        self._mix_key(self.ephemeral.agree(theirs))
        if self.pattern == "XX":
            self.remote, rest = self._open(rest[:48]), rest[48:]
            self._mix_key(self.ephemeral.agree(self.remote))
        self.their_ephemeral = theirs
        return self._open(rest)

    def third(self, payload):
        sealed = self._seal(self.static.public)
        self._mix_key(self.static.agree(self.their_ephemeral))
        return sealed + self._seal(payload)

    def split(self):
        ours, theirs = noise_hkdf(self.chaining, b"", 2)
        return Cipher(ours), Cipher(theirs)


def noise_k(prologue, own, remote, ephemeral, payload):
    """The one message of `Noise_K_25519_ChaChaPoly_BLAKE2s`: e, es, ss."""
    state = Initiator.__new__(Initiator)
    name = b"Noise_K_25519_ChaChaPoly_BLAKE2s"
    state.hash = name.ljust(32, b"\0") if len(name) <= 32 else blake2s(name)
    state.chaining = state.hash
    for known in (prologue, own.public, remote, ephemeral.public):
        state._mix_hash(known)
    state._mix_key(ephemeral.agree(remote))
    state._mix_key(own.agree(remote))
    return ephemeral.public + state._seal(payload)
