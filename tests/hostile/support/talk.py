"""Blocking clients that send any bytes and read whole answers."""

import json
import re
import socket
from typing import Any, NamedTuple, Self

import msgpack

PATIENCE = 10.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Answered(NamedTuple):
    """One HTTP answer."""

    status: int
    head: bytes
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Talk:
    """A connection; everything is read through one buffer."""

    def __init__(self, address: tuple[str, int], seconds: float = PATIENCE) -> None:
        self.socket = socket.create_connection(address, timeout=seconds)
        self._held = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has closed already is found out by reading."""
        try:
            self.socket.sendall(data)
        except ConnectionError:
            return

    def _more(self) -> None:
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionResetError
        self._held += data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._held:
            self._more()
        found, _, self._held = self._held.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._held) < size:
            self._more()
        found, self._held = self._held[:size], self._held[size:]
        return found

    # -- TCP

    def line(self) -> Any:
        """Read one JSON line."""
        return json.loads(self._until(b"\n"))

    def frame(self) -> Any:
        """Read one msgpack frame."""
        return msgpack.unpackb(self._exactly(int.from_bytes(self._exactly(4))))

    def ask(self, command: str, data: Any = None, token: str = "", *, packed: bool = False) -> dict[str, Any]:
        """Send a request and read its answer."""
        message = {"command": command, "data": data or {}, "extID": "q", "__token": token}
        if packed:
            self.send(framed(msgpack.packb(message)))
        else:
            self.send(json.dumps(message).encode() + b"\r\n")
        answer = self.frame() if packed else self.line()
        assert answer["extID"] == "q", answer
        return answer

    def good(self, command: str, data: Any = None, token: str = "") -> Any:
        """Send a request that must succeed; return its data."""
        answer = self.ask(command, data, token)
        assert answer["status"] == 200, answer
        return answer["data"]

    # -- HTTP

    def answer(self) -> Answered:
        """Read one HTTP answer that tells its length."""
        head = self._until(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = self._exactly(int(length[1])) if length else b""
        return Answered(int(head.split()[1]), head, body)

    def request(
        self, method: str, path: str, token: str = "", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answered:
        """Send a request and read its answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: a"]
        if token:
            lines.append(f"Authorization: {token}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        return self.answer()

    def rest(self) -> bytes:
        """Read until the server closes; what came, also where it closes rudely."""
        try:
            while True:
                self._more()
        except ConnectionError:
            found, self._held = self._held, b""
            return found


def framed(content: bytes) -> bytes:
    """Put the length before the content of a frame."""
    return len(content).to_bytes(4) + content


def answers(data: bytes) -> list[Answered]:
    """Take apart what a connection sent until its end."""
    found = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        assert end, data
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        found.append(Answered(int(head.split()[1]), head, rest[:size]))
        data = rest[size:]
    return found
