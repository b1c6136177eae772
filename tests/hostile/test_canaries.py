"""Values that only a customer knows go every way there is: none is in the log, the figures or left files."""

import os
import random
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from talk import Talk, framed
from target import BRAND, Target

from kycmanager.domain.enums import SessionType

CANARIES = int(os.environ.get("HOSTILE_CANARIES", "100"))
"""`make hostile ONLY=canaries` has 1,000 of each kind."""

CONFIG = """
[logging]
level = "debug"
[limits]
line_bytes_max = 20000
frame_bytes_max = 20000
[rest]
body_bytes_max = 20000
[storage]
file_bytes_max = 20000
[tokens]
failed_per_minute_max = 1000000
"""
PROGRAM = str(Path(__file__).parent / "support" / "telling_daemon.py")


def canaries(kind):
    chance = random.Random(kind)
    return [f"Canary{chance.randbytes(8).hex()}" for _ in range(CANARIES)]


@pytest.fixture(scope="module")
def telling(tmp_path_factory):
    """A daemon that logs all it ever logs, and whose handlers fail on demand."""
    with Target(tmp_path_factory.mktemp("canaries"), CONFIG, (PROGRAM,)) as target:
        with Talk(target.tcp) as talk:
            fields = [{"name": "said", "type": "text"}, {"name": "chosen", "type": "select", "options": ["a"]}]
            template = {"brand": BRAND, "code": "said", "level": 1, "name": "S", "step_type": 1}
            form = {"form_schema": {"sections": [{"fields": fields}]}}
            talk.good("MngAddKycStepTemplate", template | form, target.token())
            talk.good("MngSetKycRequiredLevel", {"customer_id": 7, "brand": BRAND, "level": 1}, target.token())
        yield target


def over_tcp(target, line, canary, number):
    """Send a canary where a customer's and a manager's words stand; return the statuses."""
    manager, customer = target.token(), target.customer()
    told = []
    for command, data, token in (
        ("CustomerSaveKycAnswers", {"id": 1, "answers": {"said": canary}}, customer),
        ("CustomerSaveKycAnswers", {"id": 1, "answers": {"chosen": canary}}, customer),
        ("CustomerSaveKycAnswers", {"id": 1, "answers": {canary: 1}}, customer),
        ("CustomerSubmitKycStep", {"id": canary, "answers": canary}, customer),
        ("CustomerAddKycDocument", {"kyc_id": 1, "file_id": canary, "type": canary}, customer),
        ("MngAddKycStepTemplate", {"brand": BRAND, "code": f"c{number}", "level": 2, "name": canary}, manager),
        ("MngAddKycStepTemplate", {"brand": canary, "code": f"{canary} ", "level": canary, "name": 5}, manager),
        ("MngSetKycRisk", {"customer_id": 7, "brand": BRAND, "risk_level": 1, "reason": canary}, manager),
        ("MngSetKycRisk", {"customer_id": 7, "brand": BRAND, "risk_level": 1, "reason": f"{canary}broken"}, manager),
        ("MngRejectKycStep", {"id": 1, "reason": canary, "comment": canary, "idempotency_key": canary}, manager),
        ("MngGetKycProfile", {"customer_id": 7, "brand": canary}, target.token(brands=None)),
        ("Subscribe", {"chanels": [f"kyc:{canary}"]}, manager),
        (canary, {"x": canary}, manager),
        ("Ping", {canary: canary}, canary),
        ("Ping", {}, f"{canary}.{canary}.{canary}"),
    ):
        told.append(line.ask(command, data, token, packed=False)["status"])
    return told


def broken_over_tcp(target, canary):
    """Send it in what is no request."""
    said = canary.encode()
    for data in (
        b'{"command":"Ping","data":{"x":"%b}\r\n' % said,
        b'{"command":"Ping","data":{"%b":1,"%b":1},"extID":"%b"}\r\n' % (said, said, said),
        b"%b\r\n" % said,
        framed(b"\x81\xa7command\xc4\x10" + said[:16]),
        framed(b"\xdb\x00\x00\x00\xff" + said),
        (said * 1000) + b"\r\n",
    ):
        with Talk(target.tcp) as talk:
            talk.send(data)
            answer = talk.frame() if data[:1] == b"\0" else talk.line()
            assert answer["status"] in {400, 413}


def over_http(target, canary, number):
    """Send it in paths, queries, heads, bodies and files; return the statuses."""
    token = target.token()
    named = {"Content-Disposition": f'attachment; filename="{canary}.txt"'}
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    part = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{canary}.txt"\r\n\r\n{canary}\r\n'.encode()
    risk = f'{{"customer_id":7,"brand":"{BRAND}","risk_level":1,"reason":"{canary}broken"}}'.encode()
    told = []
    for method, path, body, headers in (
        ("GET", f"/{canary}?token={canary}", None, {}),
        ("GET", f"/manager/kyc/profiles/{canary}", None, {}),
        ("GET", f"/manager/kyc/profiles?brand={quote(canary)}&status={canary}", None, {}),
        ("GET", f"/storage/{canary}.png", None, {}),
        ("POST", "/manager/kyc/risk", risk, {}),
        ("POST", "/manager/kyc/risk", canary.encode(), {"Idempotency-Key": canary, "X-Request-ID": canary}),
        ("POST", "/upload", f"{canary}\n".encode(), named | {"X-Canary": canary}),
        ("POST", "/upload", f"<svg>{canary}</svg>".encode(), {"Content-Disposition": f"attachment; filename={canary}.svg"}),
        ("POST", "/upload", f"%PDF-1.4 {canary}".encode(), {"Content-Disposition": f"attachment; filename={canary}.pdf"}),
        ("POST", f"/upload?purpose={canary}&brand={canary}", part + b"--b--\r\n", form),
        ("POST", "/upload", part, form),
        ("POST", "/upload", part.replace(b"form-data", canary.encode()), form),
        ("POST", f"/{canary}", canary.encode(), {}),
    ):  # fmt: skip
        with Talk(target.http) as talk:
            told.append(talk.request(method, path, token, body, headers).status)
    if number % 10 == 0:
        told += too_large_and_gone(target, canary, named)
    return told


def too_large_and_gone(target, canary, named):
    """Send too much of it, send it as no HTTP, and leave in the middle of it; return the statuses."""
    told = []
    much = (canary * 2000).encode()
    for path in ("/upload", "/manager/kyc/risk"):
        with Talk(target.http) as talk:
            told.append(talk.request("POST", path, target.token(), much, named).status)
    for data in (
        f"{canary} / HTTP/1.1\r\n\r\n",
        f"GET / HTTP/1.1\r\n{canary}\r\n\r\n",
        f"GET /\0{canary} HTTP/1.1\r\n\r\n",
    ):
        with Talk(target.http) as talk:
            talk.send(data.encode())
            told.append(talk.answer().status)
    head = f"POST /upload HTTP/1.1\r\nHost: a\r\nAuthorization: {target.token()}\r\nContent-Length: 9000\r\n"
    for rest in (f'{head}Content-Disposition: attachment; filename="{canary}.txt"\r\n\r\n{canary}', head + canary):
        with Talk(target.http) as talk:
            talk.send(rest.encode())
    return told


def test_nothing_that_a_customer_says_is_told_on(telling):
    tcp, http = canaries("tcp"), canaries("http")
    with Talk(telling.tcp) as line:
        seen = {status for number, each in enumerate(tcp) for status in over_tcp(telling, line, each, number)}
    # the ways were gone: taken, refused in every manner, failed
    assert seen >= {200, 400, 401, 404, 405, 500}, seen
    for each in tcp[::20]:
        broken_over_tcp(telling, each)
    seen = {status for number, each in enumerate(http) for status in over_http(telling, each, number)}
    assert seen >= {200, 400, 404, 413, 500}, seen
    with Talk(telling.http) as talk:
        figures = talk.request("GET", "/metrics").body
    telling.stop()
    log = telling.process.log.read_bytes()
    assert log.count(b'"command failed"') >= CANARIES
    look(log, "log")
    look(figures, "metrics")
    assert telling.left_over() == []
    look("\n".join(str(path) for path in telling.folder.rglob("*")).encode(), "names of files")
    for token in (telling.token(), telling.customer(), telling.token(SessionType.MANAGER, 1, None)):
        # the signature is of one moment, the head and the claims' beginning are of every token
        assert token[:50].encode() not in log


def test_a_canary_would_be_found():
    with pytest.raises(AssertionError, match="1 in the log"):
        look(f"level=info {canaries('tcp')[0]} said".encode(), "log")


def look(data, where):
    found = re.findall(rb".{0,80}[Cc]anary[0-9a-f]{4,16}.{0,80}", data)
    assert not found, f"{len(found)} in the {where}, the first: {found[0]!r}"
