"""Reads Content-Disposition headers as clients really write them."""

import re
from urllib.parse import unquote_to_bytes

_KIND = re.compile(r"\s*([a-zA-Z0-9-]{1,32})\s*")
_PARAMETER = re.compile(
    r""";\s*(?P<name>[a-zA-Z0-9_*.-]{1,32})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^;"\s]*))\s*""",
)
_ESCAPED = re.compile(r'\\(["\\])')
_EXTENDED = re.compile(r"(?P<charset>[A-Za-z0-9-]{1,20})'[A-Za-z0-9-]{0,20}'(?P<value>[\x21-\x7e]*)")


class DispositionError(ValueError):
    """A header that cannot be read."""


def parse(header: str) -> tuple[str, dict[str, str]]:
    """Return the kind, lower-case, and the parameters of a header; raises DispositionError.

    `filename*` (RFC 5987, UTF-8 or ISO-8859-1) wins over `filename`. A backslash escapes only a quote or itself:
    some clients send whole paths of another system unescaped.
    """
    kind = _KIND.match(header)
    if kind is None:
        raise DispositionError("no kind")
    parameters: dict[str, str] = {}
    place = kind.end()
    while place < len(header):
        match = _PARAMETER.match(header, place)
        if match is None:
            if header[place:].strip("; "):
                raise DispositionError("malformed parameter")
            break
        name = match["name"].lower()
        if name in parameters:
            raise DispositionError(f"{name} comes twice")
        quoted = match["quoted"]
        parameters[name] = match["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
        place = match.end()
    return kind[1].lower(), parameters


def file_name(parameters: dict[str, str]) -> str | None:
    """Return the file name the parameters give, None where they give none; raises DispositionError."""
    extended = parameters.get("filename*")
    if extended is None:
        return parameters.get("filename")
    match = _EXTENDED.fullmatch(extended)
    charset = match["charset"].lower() if match else ""
    if match is None or charset not in {"utf-8", "iso-8859-1"}:
        raise DispositionError("filename* must be UTF-8''percent-encoded")
    try:
        return unquote_to_bytes(match["value"]).decode(charset)
    except UnicodeDecodeError:
        raise DispositionError("filename* is not the charset it names") from None
