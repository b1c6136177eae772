"""Settings that are written as texts: lengths of time and addresses."""

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:[0-9]{1,9}[smhdw])+")
_PORT_MAX = 65_535


def duration_seconds(text: str) -> int:
    """Read a length of time such as 8h, 30m, 7d or 1h30m as seconds above 0; raises ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no length of time; write it like 30m, 8h or 7d")
    total = sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"[0-9]+[smhdw]", text))
    if total <= 0:
        raise ValueError(f"{text!r} is no time at all; write it like 30m, 8h or 7d")
    return total


def split_address(text: str) -> tuple[str, int]:
    """Split HOST:PORT or [IPV6]:PORT; port 0 means any free one; raises ValueError."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r}: an IPv6 address stands in brackets, [::1]:7400 for one")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= _PORT_MAX):
        raise ValueError(f"{text!r} is no HOST:PORT; write it like 127.0.0.1:7400, port 0 for any free one")
    return host, int(port)


def scanner_address(text: str) -> tuple[str, str, int]:
    """Read unix:PATH or HOST:PORT as (path, host, port), empty as ("", "", 0); raises ValueError."""
    if not text:
        return "", "", 0
    if text.startswith("unix:"):
        if text == "unix:":
            raise ValueError(f"{text!r} names no socket; write it like unix:/run/clamav/clamd.ctl")
        return text.removeprefix("unix:"), "", 0
    host, port = split_address(text)
    if not port:
        raise ValueError(f"{text!r} has no port; write it like 127.0.0.1:3310 or unix:/run/clamav/clamd.ctl")
    return "", host, port
