"""How the day is told: every line carries what came and what was expected, and is told only when they are equal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kycmanager.domain.json_text import json_text

NAME_WIDTH = 10
WIDTH = 112
"""Columns of a story that is not told on a terminal."""


class Unexpected(Exception):  # noqa: N818 - what happened, not what is wrong with the code
    """The daemon did something else than the story says."""

    def __init__(self, who: str, text: str, *, expected: Any, came: Any) -> None:
        super().__init__(f"{who} {text}")
        self.line = f"{who} {text}"
        self.expected = expected
        self.came = came


class Story:
    """Tells the day line by line; `verbose` shows every request and reply as well."""

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self.lines = 0

    def scene(self, title: str) -> None:
        """Begin a part of the day."""
        self._console.print()
        self._console.print(Text(title, style="bold"))

    def tell(self, who: str, text: str, *, came: Any, expected: Any) -> None:
        """Tell one line; raises Unexpected instead where something else came."""
        self.check(who, text, came=came, expected=expected)
        self._line(Text(who, style="cyan"), Text(text))
        self.lines += 1

    def check(self, who: str, text: str, *, came: Any, expected: Any) -> None:
        """Compare what came with what was expected, and tell nothing when they are equal. Raises Unexpected."""
        if came != expected:
            raise Unexpected(who, text, expected=expected, came=came)

    def live(self, came: Sequence[str], expected: Sequence[str]) -> None:
        """Tell what appeared on a reviewer's screen by itself. Raises Unexpected."""
        for index in range(max(len(came), len(expected))):
            text = expected[index] if index < len(expected) else "nothing more"
            got = came[index] if index < len(came) else "nothing more"
            self.check("live", text, came=got, expected=text)
            self._line(Text("live", style="green", justify="right"), Text(text, style="green"))
            self.lines += 1

    def table(self, table: Table) -> None:
        """Show a table."""
        self._console.print(table)

    def remark(self, text: str) -> None:
        """Say something that is no part of the day."""
        self._console.print(Text(text, style="dim"))

    def trace(self, who: str, way: str, content: Any) -> None:
        """Show a request or a reply to those who want to see everything."""
        if self._verbose:
            shown = content if isinstance(content, str) else json_text(content)
            self._line(Text(), Text(f"{who} {way} {shown}", style="dim"))

    def _line(self, name: Text, text: Text) -> None:
        line = Table.grid(padding=(0, 2))
        line.add_column(width=NAME_WIDTH)
        line.add_column()
        line.add_row(name, text)
        self._console.print(line)


def shown(value: Any) -> str:
    """Write a value that came or was expected, as text."""
    try:
        return json_text(value)
    except (TypeError, ValueError):
        return repr(value)
