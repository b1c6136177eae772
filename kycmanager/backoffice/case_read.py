"""A case read whole: one pass over the commands, however many steps and documents it has."""

from typing import Any

from kycmanager.backoffice.case_story import SILENT, Names, Told, names_of, told
from kycmanager.backoffice.case_view import holder_mark, mark_of, step_rows
from kycmanager.backoffice.chosen import following
from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.people import People
from kycmanager.domain.case import OPEN_DOCUMENTS
from kycmanager.domain.enums import RiskLevel
from kycmanager.domain.reasons import text_in
from kycmanager.domain.session import DECIDERS, Session
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.messages import Words
from kycmanager.pages.texts import choices, moment

CASES = f"{PREFIX}/cases"
CONFLICT = 409
"""The status of refusals of what does not fit the case as it is now."""

HISTORY_ROWS = 30
SINCE_ROWS = 100


def path_of(kyc_id: int) -> str:
    """Return where a case stands."""
    return f"{CASES}/{kyc_id}"


class CaseReader:
    """Reads what the page of a case shows, in `words`; `language` is that in which the customer reads the reasons.

    `links`: customers have pages of their own, and may be given links to them.
    """

    def __init__(self, gateway: Gateway, people: People, words: Words, language: str, *, links: bool) -> None:
        self._gateway = gateway
        self._people = people
        self._language = language
        self._words = words
        self._links = links

    async def profile(self, who: Session, kyc_id: int) -> dict[str, Any]:
        """Return profile, steps and documents; one out of reach is not found."""
        return await self._gateway.run(who, "MngGetKycProfile", {"id": kyc_id})

    async def whole(self, who: Session, kyc_id: int) -> dict[str, Any]:
        """Return the values of the page. The history comes first: what it does not tell yet, the rest may not show."""
        run, case = self._gateway.run, {"kyc_id": kyc_id}
        history = await run(who, "MngGetKycAudit", {**case, "limit": HISTORY_ROWS})
        found = await self.profile(who, kyc_id)
        held = (await run(who, "MngGetKycCase", case))["case"]
        notes = (await run(who, "MngGetKycNotes", case))["rows"]
        reasons = await self._reasons(who, held["brand"])
        duplicates = (await run(who, "MngGetKycDuplicates", case))["rows"]
        steps, loose = step_rows(found, duplicates, reasons, self._words)
        names = names_of(found, reasons)
        return {
            "profile": found["profile"],
            "case": held,
            "steps": steps,
            "loose": loose,
            "reasons": reasons,
            "notes": [
                {**note, "author": self._people.name(note["author_session"], note["author_id"])} for note in notes[::-1]
            ],
            "told": told(history["rows"], self._people, names),
            "following": history["next"],
            "seen": history["rows"][0]["id"] if history["rows"] else 0,
            "mark": mark_of(found),
            "held": holder_mark(held),
            "holder": self._people.holder(who, held),
            "waited": self._people.now() - held["waiting_since"],
            "may_take_over": who.type in DECIDERS,
            "risks": choices(RiskLevel),
            "today": moment(self._people.now())[: len("2026-01-31")],
            "path": path_of(kyc_id),
            "open": _first_open(steps, loose),
            "said": "",
            "stale": None,
            "partial": False,
            "viewer": None,
            "links": self._links,
            "link": None,
        }

    async def history(self, who: Session, kyc_id: int, after: str) -> dict[str, Any]:
        """Return a further part of the time line; an empty `after` is its beginning."""
        data = {"kyc_id": kyc_id, "limit": HISTORY_ROWS, **following(after)}
        names = await self._names(who, kyc_id)
        found = await self._gateway.run(who, "MngGetKycAudit", data)
        return {
            "told": told(found["rows"], self._people, names),
            "following": found["next"],
            "path": path_of(kyc_id),
        }

    async def since(self, who: Session, kyc_id: int, seen: int) -> list[Told]:
        """Return what has changed since an audit row, newest first; looks and notes change nothing."""
        names = await self._names(who, kyc_id)
        found = await self._gateway.run(who, "MngGetKycAudit", {"kyc_id": kyc_id, "limit": SINCE_ROWS})
        return told(
            [row for row in found["rows"] if row["id"] > seen and row["action"] not in SILENT], self._people, names
        )

    async def _names(self, who: Session, kyc_id: int) -> Names:
        found = await self.profile(who, kyc_id)
        return names_of(found, await self._reasons(who, found["profile"]["brand"]))

    async def _reasons(self, who: Session, brand: str) -> list[dict[str, Any]]:
        """Return the reasons of a brand, each with what the customer is told in the language of the settings."""
        found = await self._gateway.run(who, "MngGetKycReasons", {"brand": brand})
        return [{**row, "told": text_in(row["customer_text"], self._language)} for row in found["rows"]]


def _first_open(steps: list[dict[str, Any]], loose: list[dict[str, Any]]) -> str:
    """Return the first file that waits for a decision, "" for none."""
    held = [document for step in steps for document in step["documents"]] + loose
    return next((document["file_id"] for document in held if document["status"] in OPEN_DOCUMENTS), "")
