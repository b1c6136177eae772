"""A control socket answered by a script, and the command line as a function."""

import json
import socket
import threading

import pytest

from kycmanager.__main__ import main


class Control:
    """Listens where a daemon would and answers each request with the lines it was given; None hangs up."""

    def __init__(self, data_dir, *answers):
        self.asked = []
        self._answers = answers
        folder = data_dir / "bases"
        folder.mkdir(parents=True, exist_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(folder / "control.sock"))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        for lines in self._answers:
            connection, _ = self._socket.accept()
            with connection, connection.makefile("rb") as received:
                self.asked.append(json.loads(received.readline()))
                for line in lines:
                    connection.sendall(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")

    def close(self):
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def control(tmp_path):
    opened = []

    def listen(*answers, data_dir=tmp_path):
        opened.append(Control(data_dir, *answers))
        return opened[-1]

    yield listen
    for each in opened:
        each.close()


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run the command line in an empty folder: `code, out, err = run("token", "issue", ...)`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KYCMANAGER_TOKEN_SECRET", raising=False)

    def call(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = ended.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
