"""Dates, sizes and refusals in the customer's words."""

from datetime import UTC, datetime
from typing import Any

from kycmanager.domain.errors import Code, KycError
from kycmanager.pages.messages import Words

_FILE_CODES = {
    Code.FILE_TOO_LARGE: "too_large",
    Code.QUOTA_EXCEEDED: "quota",
    Code.TOO_FREQUENT: "rate",
}


def date(time: int, words: Words) -> str:
    """Return the day of a time in words, in UTC; "" for 0."""
    if not time:
        return ""
    day = datetime.fromtimestamp(time, UTC)
    return words("date", day=day.day, month=words(f"month.{day.month}"), year=day.year)


def size(count: int, words: Words) -> str:
    """Return a size in bytes, KB or MB, with the point of the language."""
    for unit, factor in (("size.mb", 1_000_000), ("size.kb", 1000)):
        if count >= factor:
            return words(unit, count=f"{count / factor:.1f}".replace(".", words("size.point")))
    return words("size.bytes", count=count)


def refusal(error: KycError, words: Words, **values: Any) -> tuple[str, str]:
    """Return what was refused and what to do next."""
    name = error.code.name.lower()
    told = words.first(f"refused.{name}", "refused.other", **values)
    return told, words.first(f"next.{name}", "next.other", **values)


def file_refusal(error: KycError, words: Words, *, file_bytes_max: int) -> str:
    """Return why a file was not taken, and what to do."""
    values = {"limit": size(file_bytes_max, words)}
    faults = (error.data or {}).get("errors") or [{}]
    code = faults[0].get("code", "") if error.code is Code.INVALID_FILE else _FILE_CODES.get(error.code, "")
    told = words.first(f"file.{code}", **values) if code else ""
    return told or " ".join(refusal(error, words))
