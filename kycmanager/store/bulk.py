"""Many records at once, as a start brings them: by id, and by profile."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

R = TypeVar("R", bound=Any)


def by_id(records: Iterable[R]) -> dict[int, R]:
    """Return the records by their id."""
    held = tuple(records)
    return dict(zip(map(attrgetter("id"), held), held, strict=True))


def grouped(records: Iterable[R]) -> dict[int, tuple[R, ...]]:
    """Return the records of each profile; those that follow one another, which most do, are taken at once."""
    groups: dict[int, tuple[R, ...]] = {}
    for kyc_id, run in groupby(records, attrgetter("kyc_id")):
        groups[kyc_id] = groups.get(kyc_id, ()) + tuple(run)
    return groups
