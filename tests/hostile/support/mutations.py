"""Good requests of every kind, and what becomes of them by chance."""

import json
import random

import msgpack

BRAND = "acme"
LINES = (
    ("MngGetKycProfile", {"id": 1}),
    ("MngGetKycProfile", {"customer_id": 1, "brand": BRAND}),
    ("MngGetKycProfiles", {"brand": BRAND, "limit": 10, "order": "id"}),
    ("MngGetKycAudit", {"brand": BRAND, "limit": 3}),
    ("MngSetKycRisk", {"customer_id": 1, "brand": BRAND, "risk_level": 1}),
    ("MngApproveKycStep", {"id": 1, "comment": "gut \u00fc \U0001f600", "version": 3}),
    ("CustomerSubmitKycStep", {"id": 1, "answers": {"a": [1, "b", None, {"c": 1.5}]}}),
    ("Subscribe", {"chanels": ["kyc:acme:1"], "after_seq": 0}),
    ("Unsubscribe", {"chanels": ["kyc:acme:1"]}),
    ("Describe", {}),
    ("Ping", {"x": [[[[{}]]]]}),
)
PIECES = (
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b"\x00",
        b"\n",
        b"\r\n",
        b"\xff",
        b"\xc3",
    ),
    *(b"1e999", b"-0", b"9" * 30, b"null", b"NaN", b"[" * 40, b'{"a":' * 40, b"\xef\xbb\xbf", b"\xdf\xff\xff\xff\xff"),
    *(b"\xc7\xff\x05", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n\r\n", b"0\r\n\r\n", b"%00"),
)


def mangled(chance: random.Random, piece: bytes, changes: int) -> bytes:
    """Change a request in so many places."""
    for _ in range(changes):
        place = chance.randrange(len(piece) + 1)
        match chance.randrange(6):
            case 0:
                piece = piece[:place] + bytes([chance.randrange(256)]) + piece[place + 1 :]
            case 1:
                piece = piece[:place] + piece[place + chance.randrange(12) :]
            case 2:
                piece = piece[:place] + chance.choice(PIECES) + piece[place:]
            case 3:
                stop = chance.randrange(len(piece) + 1)
                piece = piece[:place] + piece[stop : stop + 60] + piece[place:]
            case 4:
                piece = piece[:place]
            case _ if piece:
                at = place % len(piece)
                piece = piece[:at] + bytes([piece[at] ^ (1 << chance.randrange(8))]) + piece[at + 1 :]
    return piece


def message(chance: random.Random, token: str) -> dict[str, object]:
    command, data = chance.choice(LINES)
    return {"command": command, "data": data, "extID": chance.randrange(1 << 20), "__token": token}


def a_line(chance: random.Random, token: str) -> bytes:
    """Make a JSON line, mostly a spoilt one; it ends with a line feed."""
    made = json.dumps(message(chance, token), separators=chance.choice(((",", ":"), (", ", ": ")))).encode()
    return mangled(chance, made, chance.choice((0, 1, 1, 2, 3, 8))).lstrip(b"\x00") + b"\n"


def a_frame(chance: random.Random, token: str) -> bytes:
    """Make the content of a msgpack frame, mostly a spoilt one."""
    return mangled(chance, msgpack.packb(message(chance, token)), chance.choice((0, 1, 1, 2, 3, 8)))


def a_request(chance: random.Random, token: str) -> bytes:
    """Make an HTTP request, mostly a spoilt one."""
    body, kind = b"", ""
    match chance.randrange(5):
        case 0:
            first = "GET /manager/kyc/profiles/1"
        case 1:
            first = f"GET /manager/kyc/profiles?brand={BRAND}&limit={chance.randrange(9)}"
        case 2:
            first, body = "POST /manager/kyc/risk", b'{"customer_id":1,"brand":"acme","risk_level":1}'
        case 3:
            first, kind = "POST /upload", "Content-Type: multipart/form-data; boundary=b\r\n"
            body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.svg"\r\n\r\n<svg/>\r\n--b--\r\n'
        case _:
            first = chance.choice(
                ("GET /metrics", "GET /openapi.json", "GET /storage/1", "DELETE /manager/kyc/templates/9")
            )
    size = f"Content-Length: {len(body)}\r\n"
    if body and chance.random() < 0.3:
        size, body = "Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = f"{first} HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n{kind}{size}\r\n"
    return mangled(chance, head.encode() + body, chance.choice((0, 1, 1, 2, 3, 8)))
