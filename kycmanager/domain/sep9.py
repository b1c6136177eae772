"""The fields of SEP-9: their names, kinds and meaning, and what a wallet sends for one as an answer of a form."""

import re
from collections.abc import Callable
from typing import Any

from kycmanager.domain.countries import COUNTRIES, THREE_LETTERS
from kycmanager.domain.errors import KycError, invalid
from kycmanager.domain.form_schema import Field

STRING, BINARY, DATE, NUMBER = "string", "binary", "date", "number"

_PERSON = """
last_name|Family or last name
first_name|Given or first name
additional_name|Middle name or other additional name
address_country_code|Country of the current address
state_or_province|State, province or region of the address
city|City or town of the address
postal_code|Postal code of the address
address|Entire address in one field
mobile_number|Mobile telephone number with country code
mobile_number_format|The form of the mobile number: E.164 unless it is told
email_address|Email address
birth_date|Date of birth|date
birth_place|Place of birth: city, state, country
birth_country_code|Country of birth
tax_id|Tax identifier in the own country
tax_id_name|Name of the tax identifier, such as SSN or ITIN
occupation|Occupation as a code of ISCO-08|number
employer_name|Name of the employer
employer_address|Address of the employer
language_code|Primary language, ISO 639-1
id_type|Kind of the identity document: passport, drivers_license, id_card and the like
id_country_code|Country that issued the identity document
id_issue_date|Date the identity document was issued|date
id_expiration_date|Date the identity document expires|date
id_number|Number of the identity document
photo_id_front|Picture of the front of the identity document|binary
photo_id_back|Picture of the back of the identity document|binary
notary_approval_of_photo_id|Notary's approval of the identity document|binary
ip_address|IP address of the customer's device
photo_proof_residence|Picture of a utility bill or the like with name and address|binary
sex|male, female or other
proof_of_income|Document that proves the income|binary
proof_of_liveness|Video or picture that proves that the customer is alive|binary
referral_id|Who or what referred the customer
"""
_ACCOUNT = """
bank_name|Name of the bank
bank_account_type|checking or savings
bank_account_number|Number of the bank account
bank_number|Number of the bank, such as a routing number or BIC
bank_phone_number|Telephone number of the bank
bank_branch_number|Number of the bank's branch
external_transfer_memo|Memo or reference for transfers to the account
clabe_number|CLABE of the account (Mexico)
cbu_number|CBU or CVU of the account (Argentina)
cbu_alias|Alias of the CBU or CVU
mobile_money_number|Mobile number of the money account
mobile_money_provider|Provider of the money account
crypto_address|Address of the account on a chain
crypto_memo|Memo or tag of the account on a chain
"""
_ORGANIZATION = """
name|Full name of the organization as registered
VAT_number|VAT number
registration_number|Registration number
registration_date|Date of the registration
registered_address|Registered address
number_of_shareholders|Number of shareholders|number
shareholder_name|Name of a shareholder, the largest first
photo_incorporation_doc|Picture of the incorporation documents|binary
photo_proof_address|Picture of a utility bill or bank statement with name and address|binary
address_country_code|Country of the current address
state_or_province|State, province or region of the address
city|City or town of the address
postal_code|Postal code of the address
director_name|Name of the managing director
website|Website
email|Email address
phone|Telephone number
"""
_CARD = """
number|Card number
expiration_date|Month the card expires, YY-MM|date
cvc|CVC of the card
holder_name|Name of the card holder
network|Network of the card, such as Visa
postal_code|Postal code of the billing address
country_code|Country of the billing address, two letters
state_or_province|State or province of the billing address
city|City of the billing address
address|Entire billing address
token|Token of the card at a payment service
"""

NEVER_STORED = frozenset({"card.number", "card.cvc"})
"""What no base here takes: whoever keeps it is bound by the rules of the card networks. Use card.token."""

ALIASES = {"family_name": "last_name", "given_name": "first_name"}
"""Other names of SEP-9 for the same field, either way."""


def _listed(text: str, prefix: str = "") -> dict[str, tuple[str, str]]:
    rows = [line.split("|") for line in text.strip().splitlines()]
    return {prefix + row[0]: (row[2] if len(row) > 2 else STRING, row[1]) for row in rows}  # noqa: PLR2004 - columns


FIELDS: dict[str, tuple[str, str]] = {
    **_listed(_PERSON),
    "family_name": (STRING, "Family or last name"),
    "given_name": (STRING, "Given or first name"),
    **_listed(_ACCOUNT),
    **_listed(_ORGANIZATION, "organization."),
    **_listed(_ACCOUNT, "organization."),
    **_listed(_CARD, "card."),
}
"""Every name of SEP-9 with its kind and what it means."""

_COUNTRY_FIELDS = frozenset(name for name in FIELDS if name.endswith("country_code"))
_CHOICES = {
    "sex": ("male", "female", "other"),
    "bank_account_type": ("checking", "savings"),
    "organization.bank_account_type": ("checking", "savings"),
}
_FORMS = {
    "email_address": (re.compile(r"[^@\s]{1,64}@[^@\s]{1,253}"), "expected an email address such as ann@example.com"),
    "organization.email": (
        re.compile(r"[^@\s]{1,64}@[^@\s]{1,253}"),
        "expected an email address such as info@example.com",
    ),
    "mobile_number": (re.compile(r"\+?[0-9 ()./-]{5,24}", re.ASCII), "expected a number such as +15005550006"),
    "language_code": (re.compile(r"[A-Za-z]{2}", re.ASCII), "expected two letters of ISO 639-1, such as en"),
    "card.expiration_date": (re.compile(r"[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII), "expected YY-MM, such as 29-11"),
}
_KINDS = {"number": NUMBER, "date": DATE, "file_reference": BINARY}
_NUMERAL = re.compile(r"-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,18})?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


def known(name: str) -> bool:
    """Tell whether SEP-9 has a field of this name."""
    return name in FIELDS


def refuse_never_stored(name: str) -> None:
    """Raise INVALID_DATA for the number and the code of a card."""
    if name in NEVER_STORED:
        raise invalid(name, "is never stored here; send card.token instead")


def kind_of(field_type: str) -> str:
    """Return the kind a wallet is told of for a field of a form."""
    return _KINDS.get(field_type, STRING)


def description_of(name: str, given: object, language: str) -> str:
    """Return the text on a field: what the form says, in a language where it has several, else what SEP-9 does."""
    if isinstance(given, dict):
        texts = {str(key).lower(): text for key, text in given.items() if isinstance(text, str) and text}
        wanted = language.lower().replace("_", "-")
        for key in (wanted, wanted.partition("-")[0], "en"):
            if key in texts:
                return texts[key]
        given = next(iter(texts.values()), "")
    if isinstance(given, str) and given:
        return given
    return FIELDS[name][1] if name in FIELDS else name


def choices_of(name: str, options: list[Any] | None, field_type: str) -> list[str] | None:
    """Return the values a field takes when it takes a few only."""
    if field_type == "boolean":
        return ["true", "false"]
    if options is not None and field_type in {"select", "multi_select"}:
        return [_text(option["value"] if isinstance(option, dict) else option) for option in options]
    return list(_CHOICES[name]) if name in _CHOICES else None


def answer_of(field: Field, value: Any) -> Any:
    """Return what a wallet sent for a field as an answer of the form; what cannot be read stays as it is.

    Raises INVALID_DATA for what SEP-9 gives another form. The form itself is checked later.
    """
    name = field.name
    if isinstance(value, str):
        value = value.strip()
        _check(name, value)
        if field.type == "country":
            return _country(name, value)
        return _READERS[field.type](field, value) if field.type in _READERS else value
    if value is not None and field.type in {"text", "textarea", "date"}:
        raise invalid(name, "must be text")
    return value


def _check(name: str, text: str) -> None:
    if not text:
        return
    if name in _CHOICES and text not in _CHOICES[name]:
        raise invalid(name, f"expected one of {', '.join(_CHOICES[name])}")
    if name in _COUNTRY_FIELDS:
        _country(name, text)
    form, reason = _FORMS.get(name, (None, ""))
    if form is not None and not form.fullmatch(text):
        raise invalid(name, reason)


def _country(name: str, text: str) -> str:
    code = text.upper()
    found = code if code in COUNTRIES else THREE_LETTERS.get(code, "")
    if text and not found:
        raise _no_country(name)
    return found


def _no_country(name: str) -> KycError:
    return invalid(name, "expected a country of ISO 3166-1, such as DEU")


def _number(_field: Field, text: str) -> Any:
    if not _NUMERAL.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def _boolean(_field: Field, text: str) -> Any:
    return _BOOLEANS.get(text.lower(), text)


def _option(field: Field, text: str) -> Any:
    """Return the option that is written like this: options may be numbers or booleans."""
    for option in field.options or ():
        value = option["value"] if isinstance(option, dict) else option
        if _text(value) == text:
            return value
    return text


def _options(field: Field, text: str) -> Any:
    return [_option(field, part.strip()) for part in text.split(",") if part.strip()]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_READERS: dict[str, Callable[[Field, str], Any]] = {
    "number": _number,
    "boolean": _boolean,
    "select": _option,
    "multi_select": _options,
}
