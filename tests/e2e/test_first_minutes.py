"""What a newcomer does first, with nothing but the command line, plain HTTP and a plain socket."""

import http.client
import json
import socket

import pytest
from papers import a_jpeg
from running import Process


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Process(tmp_path_factory.mktemp("served") / "data") as process:
        yield process


def curl(process, method, path, token=None, data=None, body=None, **headers):
    """Do what curl would; return (status, headers, body)."""
    connection = http.client.HTTPConnection(*process.http, timeout=10)
    if token is not None:
        headers["Authorization"] = token
    if data is not None:
        body, headers["Content-Type"] = json.dumps(data), "application/json"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.headers["Content-Type"] == "application/json":
        content = json.loads(content)
    return answer.status, answer.headers, content


def form_of(content, name, **fields):
    """Write a form as curl -F does; return its headers and bytes."""
    boundary = "------------------------d74496d66958873e"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body


def test_from_a_template_to_the_gate(served):
    manager, customer = served.issue("manager", 1, "acme"), served.issue("customer", 1001, "acme")

    def told(method, path, token=manager, data=None):
        status, _, body = curl(served, method, path, token, data)
        assert status == 200, body
        return body

    made = told(
        "POST", "/manager/kyc/templates", data={"brand": "acme", "code": "passport", "level": 1, "name": "Passport"}
    )
    assert (made["template"]["id"], made["template"]["version"]) == (1, 1)
    asked = told("POST", "/manager/kyc/required-level", data={"customer_id": 1001, "brand": "acme", "level": 1})
    assert asked == {"accepted": True}
    gate = told("GET", "/manager/kyc/gate?customer_id=1001&brand=acme")
    assert (gate["allowed"], [step["code"] for step in gate["missing"]]) == (False, ["passport"])
    status = told("GET", "/customer/kyc", customer)
    step, kyc_id = status["steps"][0]["id"], status["profile"]["id"]
    headers, body = form_of(a_jpeg(), "passport.jpg", purpose="kyc")
    code, _, stored = curl(served, "POST", "/upload", customer, body=body, **headers)
    assert code == 200
    assert stored["files"][0]["signature"] == "image/jpeg"
    document = {"kyc_id": kyc_id, "step_id": step, "file_id": stored["file_id"], "type": "passport"}
    told("POST", "/customer/kyc/documents", customer, document)
    told("POST", f"/customer/kyc/steps/{step}/submit", customer, {})
    assert told("POST", f"/manager/kyc/steps/{step}/approve") == {"accepted": True}
    assert told("GET", "/manager/kyc/gate?customer_id=1001&brand=acme")["allowed"] is True
    actions = [row["action"] for row in told("GET", "/manager/kyc/audit?customer_id=1001")["rows"]]
    assert actions[0] == "step.approved"
    assert actions[-1] == "profile.created"
    code, headers, content = curl(
        served, "GET", f"/storage/{stored['file_id']}", f"Bearer {manager}", Range="bytes=0-1"
    )
    assert (code, content) == (206, b"\xff\xd8")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Cache-Control"] == "no-store"


def test_a_client_of_ten_lines(served):
    token = served.issue("admin", 1)
    with socket.create_connection(served.tcp, timeout=10) as connection:
        lines = connection.makefile("rw", encoding="utf-8", newline="\r\n")
        request = {"command": "Ping", "data": {}, "extID": "1", "__token": token}
        lines.write(json.dumps(request) + "\r\n")
        lines.flush()
        answer = json.loads(lines.readline())
    assert (answer["extID"], answer["status"], answer["data"]["pong"]) == ("1", 200, True)


def test_many_requests_in_one_write_and_odd_lines_between(served):
    token = served.issue("admin", 1)
    asked = [{"command": "Ping", "extID": str(number), "__token": token} for number in range(500)]
    with socket.create_connection(served.tcp, timeout=10) as connection:
        connection.sendall(b"\r\n\n" + b"".join(json.dumps(each).encode() + b"\n" for each in asked) + b"no json\r\n")
        lines = connection.makefile("rb")
        answers = [json.loads(lines.readline()) for _ in range(501)]
    assert {answer.get("extID") for answer in answers if answer["status"] == 200} == {
        str(number) for number in range(500)
    }
    assert [answer["error"] for answer in answers if answer["status"] != 200] == ["INVALID_DATA"]


def test_the_operators_pages(served):
    assert curl(served, "GET", "/healthz")[2] == {"alive": True}
    assert curl(served, "GET", "/readyz")[2] == {"ready": True, "reasons": []}
    assert b"kycmanager_" in curl(served, "GET", "/metrics")[2]
    assert curl(served, "GET", "/docs")[0] == 200
    status, headers, body = curl(served, "GET", "/manager/kyc/profiles")
    assert (status, body["error"]) == (401, "PERMISSION_DENIED")
    assert headers["Content-Type"] == "application/json"
