"""The token in what a client sends as one, the same at every door."""

from collections.abc import Callable

from kycmanager.domain.errors import KycError

WrongToken = Callable[[str, str], KycError]
"""Takes the address and the wrong token, counts them, and builds the refusal: 401, or 429 over the limit."""

_SCHEME = "bearer "


def token_of(sent: str) -> str:
    """Return the token of an Authorization header or a `__token`, with or without the scheme word `Bearer`."""
    if sent[: len(_SCHEME)].lower() == _SCHEME:
        sent = sent[len(_SCHEME) :]
    return sent.strip()
