"""Customers of Stellar wallets: which account they are known by, what a customer type asks of them, whom they reach.

An identity is an account, or an account and a memo, in one brand; it stands for one customer. Source: SEP-12, SEP-10.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kycmanager.domain.errors import Code, KycError, invalid

ACCOUNT = re.compile(r"[GC][A-Z2-7]{55}")
CONTRACT = "C"
MEMO_ID, MEMO_TEXT, MEMO_HASH = "id", "text", "hash"
MEMO_TYPES = (MEMO_ID, MEMO_TEXT, MEMO_HASH)
MEMO_ID_MAX = 2**64 - 1
MEMO_TEXT_BYTES_MAX = 28
HASH_BYTES = 32

DEFAULT_TYPE = "default"
"""The name, in the settings, of what is asked where a wallet names no type."""

DEFAULT_TEMPLATE = "sep12.default"
"""The code of the template that the default type asks where the settings name none; made when it is first asked."""

DEFAULT_FORM: dict[str, Any] = {
    "sections": [
        {
            "fields": [
                {"name": "first_name", "type": "text", "required": True},
                {"name": "last_name", "type": "text", "required": True},
                {"name": "email_address", "type": "text", "required": True},
            ]
        }
    ]
}

_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)
_HEX_HASH = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


class WalletName(Struct, frozen=True, gc=False):
    """What a customer of a wallet is known by; without a memo both texts are empty. A muxed account is G and id."""

    account: str
    memo_type: str = ""
    memo: str = ""


class Identity(Struct, frozen=True, gc=False):
    """An account, or an account and a memo, of a brand, and the customer it stands for.

    `id` is what the wallet is told as the id of its customer; it never changes and is never used again. `customer_id`
    is the same number until the CRM links the identity to a customer of its own, which it may do once.
    """

    id: int
    brand: str
    customer_id: int
    account: str
    memo_type: str
    memo: str
    created_time: int
    updated_time: int
    version: int

    @property
    def name(self) -> WalletName:
        """What it is known by."""
        return WalletName(self.account, self.memo_type, self.memo)

    @property
    def linked(self) -> bool:
        """Tell whether it stands for a customer of the CRM."""
        return self.customer_id != self.id


class Callback(Struct, frozen=True, gc=False):
    """Where a wallet wants to be told of its customer. `id` is that of the identity, `type` and `lang` as it asked."""

    id: int
    brand: str
    customer_id: int
    url: str
    account: str
    memo_type: str
    memo: str
    type: str
    lang: str
    created_time: int
    updated_time: int
    version: int


class UsedChallenge(Struct, frozen=True, gc=False):
    """A challenge that was answered: it is good for one token. `digest` is the hash of its transaction."""

    digest: bytes
    expires: int


class CustomerType(Struct, frozen=True, kw_only=True):
    """What one type of customer is asked: a level of the brand, templates by code, and the fields to be confirmed."""

    level: int = 0
    templates: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()


class CustomerTypes:
    """The types by name. `id_base` is where the ids of new customers of wallets begin."""

    def __init__(self, types: Mapping[str, CustomerType] = {}, *, id_base: int = 2**40, retention: int = 0) -> None:
        self._types = {DEFAULT_TYPE: CustomerType(templates=(DEFAULT_TEMPLATE,)), **types}
        self._templates = frozenset(code for each in self._types.values() for code in each.templates)
        self.id_base = id_base
        self.retention_seconds = retention

    def of(self, name: str) -> CustomerType:
        """Return a type, "" is the default one; INVALID_DATA for a name that is none."""
        found = self._types.get(name or DEFAULT_TYPE)
        if found is None:
            raise invalid("type", f"is none of the types known here: {', '.join(sorted(self._types))}")
        return found

    def names_template(self, code: str) -> bool:
        """Tell whether a type names this template: then no other type asks it."""
        return code in self._templates


def memo_of(kind: str, text: str) -> tuple[str, str]:
    """Return type and memo in the one form they are kept in, both empty without one; INVALID_DATA for what is none."""
    kind = kind or MEMO_ID
    if kind not in MEMO_TYPES:
        raise invalid("memo_type", f"expected one of {', '.join(MEMO_TYPES)}")
    if not text:
        return "", ""
    if kind == MEMO_ID:
        if not _NUMBER.fullmatch(text) or int(text) > MEMO_ID_MAX:
            raise invalid("memo", "expected a whole number of 64 bits, or another memo_type")
        return kind, str(int(text))
    if kind == MEMO_TEXT:
        if len(text.encode()) > MEMO_TEXT_BYTES_MAX:
            raise invalid("memo", f"a text has at most {MEMO_TEXT_BYTES_MAX} bytes")
        return kind, text
    return kind, _hash(text)


def _hash(text: str) -> str:
    try:
        content = bytes.fromhex(text) if _HEX_HASH.fullmatch(text) else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        content = b""
    if len(content) != HASH_BYTES:
        raise invalid("memo", f"a hash is {HASH_BYTES} bytes in base64")
    return base64.b64encode(content).decode()


def named(caller: WalletName, shown: str, *, account: str, memo: str, memo_type: str) -> WalletName:
    """Return whom a request is about; `shown` is the account as the token has it, M for a muxed one.

    Another account than the token's, and another memo than the token's, are FORBIDDEN; INVALID_DATA for what is no
    memo. Without a memo in the token any memo may be named: so senders register their users.
    """
    if account and account not in {shown, caller.account}:
        raise KycError(Code.FORBIDDEN, "account: is not the one of the token; leave it out")
    kind, text = memo_of(memo_type, memo)
    if not text:
        return caller
    if caller.account.startswith(CONTRACT):
        raise invalid("memo", "is not allowed with a contract account; leave it out")
    if caller.memo and (kind, text) != (caller.memo_type, caller.memo):
        raise KycError(Code.FORBIDDEN, "memo: is not the one of the token; leave it out")
    return WalletName(caller.account, kind, text)


def reaches(caller: WalletName, identity: Identity) -> bool:
    """Tell whether a caller may reach an identity: its own account, and its own memo where the token has one."""
    if identity.account != caller.account:
        return False
    return not caller.memo or (identity.memo_type, identity.memo) == (caller.memo_type, caller.memo)
