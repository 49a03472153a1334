#!/usr/bin/env python3
"""Prints vectors.json: what package rootkey writes, computed without it.

HKDF and HMAC from Python's standard library, HChaCha20 by hand as in
draft-irtf-cfrg-xchacha-03 section 2.2, ChaCha20-Poly1305 from pyca/cryptography.
"""
import hashlib, hmac, json, struct
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


def hkdf(secret, info, length=32):
    prk = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    out, block, n = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info.encode() + bytes([n]), hashlib.sha256).digest()
        out, n = out + block, n + 1
    return out[:length]


def hchacha20(key, nonce16):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce16))

    def quarter(a, b, c, d):
        for x, y, z, r in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            v = s[z] ^ s[x]
            s[z] = ((v << r) | (v >> (32 - r))) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *(s[0:4] + s[12:16]))


# draft-irtf-cfrg-xchacha-03, section 2.2.1
assert hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927")).hex() == (
    "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc")


def frame(parts):
    return b"".join(struct.pack(">Q", len(p)) + p for p in parts)


root = bytes(range(32))
ident = hkdf(root, "caesar/v1/id/")[:4]
bound = [b"42", b"", "凯撒".encode()]
nonce = bytes(range(100, 124))
subkey = hchacha20(hkdf(root, "caesar/v1/seal/test"), nonce[:16])
ct = ChaCha20Poly1305(subkey).encrypt(bytes(4) + nonce[16:], b"veni, vidi, vici", frame(bound))
print(json.dumps({
    "sealed": (ident + nonce + ct).hex(),
    "mac": (ident + hmac.new(hkdf(root, "caesar/v1/mac/test"), frame(bound), hashlib.sha256).digest()).hex(),
    "key": hmac.new(hkdf(root, "caesar/v1/lookup/test"), frame(bound), hashlib.sha256).hexdigest(),
}, indent=1))
