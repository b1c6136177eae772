"""Progress: bars on a terminal, few lines in a pipe."""

import io

from kycmanager.cli.progress import show_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_pipe_gets_the_end_of_each_work_once():
    stream = io.StringIO()
    with show_progress(stream) as report:
        for done in range(1001):
            report("loading profiles", done, 1000)
        report("loading profiles", 1000, 1000)
        report("loading steps", 5, 5)
        report("loading nothing", 0, 0)
    assert stream.getvalue() == "loading profiles: 1000 of 1000\nloading steps: 5 of 5\n"


def test_a_pipe_gets_a_line_now_and_then():
    stream = io.StringIO()
    with show_progress(stream, seconds_between=0.0) as report:
        report("hashing", 1, 3)
        report("hashing", 2, 0)
        report("hashing", 3, 3)
    assert stream.getvalue() == "hashing: 1 of 3\nhashing: 2\nhashing: 3 of 3\n"


def test_a_terminal_gets_bars(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with show_progress(stream) as report:
        report("hashing", 0, 0)
        report("hashing", 1, 3)
        report("hashing", 3, 3)
    assert "hashing" in stream.getvalue()
    assert "\x1b" in stream.getvalue()
