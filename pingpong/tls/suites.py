"""Cipher suites by their numbers: which can be opened, and what the others are called.

    13 01   TLS_AES_128_GCM_SHA256                    TLS 1.3: a cipher and a hash
    c0 2f   TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256     TLS 1.2: how keys were agreed on, too

How keys were agreed on does not matter to who has the secrets.  Only AEAD ciphers are opened:
their tag proves each record.  Names and numbers are those of IANA's registry of TLS parameters.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CCM", "CHACHA", "GCM", "Suite", "name_of", "suite_of"]

GCM: Final = "AES-GCM"
CCM: Final = "AES-CCM"
CHACHA: Final = "ChaCha20-Poly1305"


class Suite:
    """A cipher suite that can be opened.

    Of its ``cipher`` ``key`` and ``tag`` are the lengths of keys and tags in bytes; ``hash`` is the
    name of its hash.
    """

    __slots__ = ("cipher", "hash", "key", "name", "number", "tag")

    def __init__(
        self, number: int, name: str, cipher: str, key: int, hash_name: str, tag: int = 16
    ) -> None:
        self.number = number
        self.name = name
        self.cipher = cipher
        self.key = key
        self.hash = hash_name
        self.tag = tag


_13: Final = (
    Suite(0x1301, "TLS_AES_128_GCM_SHA256", GCM, 16, "sha256"),
    Suite(0x1302, "TLS_AES_256_GCM_SHA384", GCM, 32, "sha384"),
    Suite(0x1303, "TLS_CHACHA20_POLY1305_SHA256", CHACHA, 32, "sha256"),
    Suite(0x1304, "TLS_AES_128_CCM_SHA256", CCM, 16, "sha256"),
    Suite(0x1305, "TLS_AES_128_CCM_8_SHA256", CCM, 16, "sha256", 8),
)

# TLS 1.2, by how keys were agreed on: the numbers of AES-128-GCM; AES-256-GCM has the next one.
_GCM: Final = {
    "RSA": 0x9C,
    "DHE_RSA": 0x9E,
    "DH_RSA": 0xA0,
    "DHE_DSS": 0xA2,
    "DH_DSS": 0xA4,
    "DH_anon": 0xA6,
    "PSK": 0xA8,
    "DHE_PSK": 0xAA,
    "RSA_PSK": 0xAC,
    "ECDHE_ECDSA": 0xC02B,
    "ECDH_ECDSA": 0xC02D,
    "ECDHE_RSA": 0xC02F,
    "ECDH_RSA": 0xC031,
    "ECDHE_PSK": 0xD001,
}
_CHACHA: Final = {
    "ECDHE_RSA": 0xCCA8,
    "ECDHE_ECDSA": 0xCCA9,
    "DHE_RSA": 0xCCAA,
    "PSK": 0xCCAB,
    "ECDHE_PSK": 0xCCAC,
    "DHE_PSK": 0xCCAD,
    "RSA_PSK": 0xCCAE,
}
# RFC 6655 and 7251: AES-128-CCM, AES-256-CCM, and the same with tags of 8 bytes.
_CCM: Final = {
    "RSA": (0xC09C, 0xC09D, 0xC0A0, 0xC0A1),
    "DHE_RSA": (0xC09E, 0xC09F, 0xC0A2, 0xC0A3),
    "PSK": (0xC0A4, 0xC0A5, 0xC0A8, 0xC0A9),
    "DHE_PSK": (0xC0A6, 0xC0A7, 0xC0AA, 0xC0AB),
    "ECDHE_ECDSA": (0xC0AC, 0xC0AD, 0xC0AE, 0xC0AF),
}

# Suites of TLS 1.2 and before whose records carry no such tag, or whose cipher is not done here.
_OTHERS: Final = {
    0x0000: "NULL_WITH_NULL_NULL",
    0x0001: "RSA_WITH_NULL_MD5",
    0x0002: "RSA_WITH_NULL_SHA",
    0x0004: "RSA_WITH_RC4_128_MD5",
    0x0005: "RSA_WITH_RC4_128_SHA",
    0x000A: "RSA_WITH_3DES_EDE_CBC_SHA",
    0x0016: "DHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0x002F: "RSA_WITH_AES_128_CBC_SHA",
    0x0032: "DHE_DSS_WITH_AES_128_CBC_SHA",
    0x0033: "DHE_RSA_WITH_AES_128_CBC_SHA",
    0x0034: "DH_anon_WITH_AES_128_CBC_SHA",
    0x0035: "RSA_WITH_AES_256_CBC_SHA",
    0x0038: "DHE_DSS_WITH_AES_256_CBC_SHA",
    0x0039: "DHE_RSA_WITH_AES_256_CBC_SHA",
    0x003A: "DH_anon_WITH_AES_256_CBC_SHA",
    0x003B: "RSA_WITH_NULL_SHA256",
    0x003C: "RSA_WITH_AES_128_CBC_SHA256",
    0x003D: "RSA_WITH_AES_256_CBC_SHA256",
    0x0041: "RSA_WITH_CAMELLIA_128_CBC_SHA",
    0x0067: "DHE_RSA_WITH_AES_128_CBC_SHA256",
    0x006B: "DHE_RSA_WITH_AES_256_CBC_SHA256",
    0x0084: "RSA_WITH_CAMELLIA_256_CBC_SHA",
    0x008C: "PSK_WITH_AES_128_CBC_SHA",
    0x008D: "PSK_WITH_AES_256_CBC_SHA",
    0x00AE: "PSK_WITH_AES_128_CBC_SHA256",
    0x00AF: "PSK_WITH_AES_256_CBC_SHA384",
    0x1306: "AEGIS_256_SHA512",
    0x1307: "AEGIS_128L_SHA256",
    0xC006: "ECDHE_ECDSA_WITH_NULL_SHA",
    0xC007: "ECDHE_ECDSA_WITH_RC4_128_SHA",
    0xC008: "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
    0xC009: "ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    0xC00A: "ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xC010: "ECDHE_RSA_WITH_NULL_SHA",
    0xC011: "ECDHE_RSA_WITH_RC4_128_SHA",
    0xC012: "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC013: "ECDHE_RSA_WITH_AES_128_CBC_SHA",
    0xC014: "ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xC023: "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    0xC024: "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    0xC027: "ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    0xC028: "ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    0xC035: "ECDHE_PSK_WITH_AES_128_CBC_SHA",
    0xC036: "ECDHE_PSK_WITH_AES_256_CBC_SHA",
}


def _known() -> dict[int, Suite]:
    known = {one.number: one for one in _13}
    for agreed, first in _GCM.items():
        for number, bits, hash_name in ((first, 128, "sha256"), (first + 1, 256, "sha384")):
            name = f"TLS_{agreed}_WITH_AES_{bits}_GCM_{hash_name.upper()}"
            known[number] = Suite(number, name, GCM, bits // 8, hash_name)
    for agreed, number in _CHACHA.items():
        name = f"TLS_{agreed}_WITH_CHACHA20_POLY1305_SHA256"
        known[number] = Suite(number, name, CHACHA, 32, "sha256")
    for agreed, numbers in _CCM.items():
        kinds = ((128, 16, ""), (256, 16, ""), (128, 8, "_8"), (256, 8, "_8"))
        for number, (bits, tag, end) in zip(numbers, kinds, strict=True):
            name = f"TLS_{agreed}_WITH_AES_{bits}_CCM{end}"
            known[number] = Suite(number, name, CCM, bits // 8, "sha256", tag)
    return known


_SUITES: Final = _known()


def suite_of(number: int, is_13: bool) -> Suite | None:
    """The suite of that number, if it can be opened; TLS 1.3 has suites of its own."""
    return _SUITES.get(number) if (number >> 8 == 0x13) is is_13 else None


def name_of(number: int) -> str:
    """What that suite is called, with its number: "TLS_RSA_WITH_AES_128_CBC_SHA (0x002f)"."""
    known = _SUITES.get(number)
    name = known.name if known is not None else _OTHERS.get(number, "")
    if known is None and name:
        name = f"TLS_{name}"
    return f"{name} (0x{number:04x})" if name else f"0x{number:04x}"
