"""What pages say, by language: message files beside the packages, each language complete."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import msgspec

FALLBACK = "en"
"""The language of the first file, which every other is measured by."""

_RANGES_MAX = 20
"""Languages looked at in one Accept-Language header."""


class Words:
    """What is said in one language."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, /, **values: object) -> str:
        """Return a text, with its {places} filled; KeyError for one that is not there."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def first(self, *keys: str, **values: object) -> str:
        """Return the first of these texts that is there, "" where none is."""
        return next((self(key, **values) for key in keys if key in self._texts), "")

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def keys(self) -> frozenset[str]:
        """Return what can be said."""
        return frozenset(self._texts)


class Messages:
    """The message files of some packages: `messages/LANGUAGE.json` of each, put together by language."""

    def __init__(self, packages: Iterable[str]) -> None:
        texts: dict[str, dict[str, str]] = {}
        for package in packages:
            for language, said in _texts_of(package).items():
                texts.setdefault(language, {}).update(said)
        self.by_language = {language: Words(language, texts[language]) for language in sorted(texts)}

    def of(self, language: str) -> Words:
        """Return the words of a language ("es-MX"), of the same without its region, or those of FALLBACK."""
        return self._known(language) or self.by_language[FALLBACK]

    def chosen(self, *languages: str, accepted: str = "") -> Words:
        """Return the words of the first of these languages that is there, else of an Accept-Language header."""
        wanted = (*languages, *_by_liking(accepted))
        return next((found for language in wanted if (found := self._known(language))), self.by_language[FALLBACK])

    def _known(self, language: str) -> Words | None:
        name = language.strip().lower().replace("_", "-")
        return self.by_language.get(name) or self.by_language.get(name.partition("-")[0])


def _by_liking(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, the best liked first; what cannot be read is left out."""
    liked: list[tuple[float, str]] = []
    for part in header.split(",", _RANGES_MAX)[:_RANGES_MAX]:
        name, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if name.strip() and quality > 0:
            liked.append((quality, name.strip()))
    return [name for _, name in sorted(liked, key=lambda each: -each[0])]


@cache
def _texts_of(package: str) -> Mapping[str, Mapping[str, str]]:
    """Return the texts of a package by language; the files are read once, whoever asks."""
    return {
        item.name.removesuffix(".json"): msgspec.json.decode(item.read_bytes(), type=dict[str, str])
        for item in (files(package) / "messages").iterdir()
        if item.name.endswith(".json")
    }
