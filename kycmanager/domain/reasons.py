"""Why a step or document is rejected: the reasons reviewers are offered, and what each tells the customer."""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from kycmanager.domain.enums import DocumentStatus, StepStatus
from kycmanager.domain.records import Document, Step

Kind = Literal["retry", "final"]


class Reason(Struct, frozen=True, kw_only=True):
    """A reason: its code stands in the record, `label` is for reviewers, `customer_text` by language for customers.

    `kind` says whether the customer can mend it ("retry") or not ("final"). `brand` "" = every brand.
    """

    code: str
    kind: Kind
    label: str
    customer_text: dict[str, str] = {}
    brand: str = ""


def _usual(code: str, kind: Kind, label: str, en: str, es: str) -> Reason:
    return Reason(code=code, kind=kind, label=label, customer_text={"en": en, "es": es})


USUAL = (
    _usual(
        "unreadable",
        "retry",
        "Blurred, dark or cut off",
        "We could not read it. Please send a clear picture.",
        "No hemos podido leerlo. Envíe una imagen nítida, por favor.",
    ),
    _usual(
        "expired",
        "retry",
        "Expired",
        "The document has expired. Please send one that is valid.",
        "El documento ha caducado. Envíe uno vigente, por favor.",
    ),
    _usual(
        "wrong_document",
        "retry",
        "Not what was asked for",
        "This is not what we asked for. Please read it again.",
        "No es lo que hemos pedido. Léalo de nuevo, por favor.",
    ),
    _usual(
        "mismatch",
        "retry",
        "Differs from the answers",
        "It does not agree with what you told us. Please correct your answers or send another document.",
        "No coincide con lo que nos ha indicado. Corrija sus respuestas o envíe otro documento, por favor.",
    ),
    _usual(
        "incomplete",
        "retry",
        "Pages or sides are missing",
        "A page or side is missing. Please send all of them.",
        "Falta una página o una cara. Envíelas todas, por favor.",
    ),
    _usual(
        "too_old",
        "retry",
        "Issued too long ago",
        "It was issued too long ago. Please send a newer one.",
        "Se emitió hace demasiado tiempo. Envíe uno más reciente, por favor.",
    ),
    _usual(
        "not_accepted",
        "final",
        "Cannot be accepted",
        "We are sorry: we cannot accept your application.",
        "Lo sentimos: no podemos aceptar su solicitud.",
    ),
    _usual(
        "forged",
        "final",
        "Altered or forged",
        "We are sorry: we cannot accept your application.",
        "Lo sentimos: no podemos aceptar su solicitud.",
    ),
)
"""What reviewers are offered where the settings name no reasons."""


def text_in(texts: Mapping[str, str], *languages: str) -> str:
    """Return the text in the first of the languages ("pt-BR") that there is, be it of any region; else any, or ""."""
    known = {name.lower(): text for name, text in texts.items()}
    for language in languages:
        wanted = language.lower().replace("_", "-")
        for name in (wanted, wanted.partition("-")[0]):
            if name in known:
                return known[name]
    return next(iter(known.values()), "")


class Reasons:
    """The reasons by brand and code; one of a brand goes before the one of every brand with the same code."""

    def __init__(self, reasons: Iterable[Reason] = USUAL, language: str = "en") -> None:
        self._all = tuple(reasons)
        self._language = language
        self._found = {(reason.brand, reason.code): reason for reason in self._all}

    def of(self, brand: str) -> list[Reason]:
        """Return the reasons offered in a brand, in the order of the settings."""
        return [
            reason
            for reason in self._all
            if reason.brand in {"", brand} and self._found.get((brand, reason.code), reason) is reason
        ]

    def text(self, brand: str, code: str, language: str) -> str:
        """Return what a reason tells the customer in a language ("pt-BR"), or in the nearest there is; else "".

        The nearest: the same language of any region, then the language of the settings, then the first there is.
        """
        reason = self._found.get((brand, code)) or self._found.get(("", code))
        if reason is None:
            return ""
        return text_in(reason.customer_text, language, self._language)

    def is_final(self, brand: str, code: str) -> bool:
        """Tell whether a reason says that the customer cannot mend it."""
        reason = self._found.get((brand, code)) or self._found.get(("", code))
        return reason is not None and reason.kind == "final"

    def told(self, record: Step | Document, language: str) -> str:
        """Return what the customer of a rejected step or document is told; "" for any other."""
        if record.status is StepStatus.REJECTED or record.status is DocumentStatus.REJECTED:
            return self.text(record.brand, record.reason, language)
        return ""
