"""A working example of what types of customers are asked: `kycmanager sep12 init` writes it, operators change it."""

import json
from typing import Any

from kycmanager.domain.enums import StepType

TYPES: dict[str, tuple[str, ...]] = {
    "sep6": ("sep12.person",),
    "sep6-deposit": ("sep12.person",),
    "sep6-withdraw": ("sep12.person", "sep12.bank"),
    "sep31-sender": ("sep12.person", "sep12.identity"),
    "sep31-receiver": ("sep12.receiver", "sep12.bank"),
}
"""The templates each type asks, by code."""


def _text(name: str, *, required: bool = True, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "required": required, **more}


_NAME = [_text("first_name"), _text("last_name")]
_FORMS: dict[str, tuple[str, StepType, list[dict[str, Any]]]] = {
    "sep12.person": (
        "About you",
        StepType.QUESTIONNAIRE,
        [
            *_NAME,
            _text("birth_date", kind="date"),
            _text("email_address"),
            _text("address_country_code", kind="country"),
            _text("address", required=False),
        ],
    ),
    "sep12.identity": (
        "Identity document",
        StepType.MIXED,
        [
            _text("id_type", kind="select", options=["passport", "id_card", "drivers_license"]),
            _text("id_number"),
            _text("id_country_code", kind="country"),
            _text("photo_id_front", kind="file_reference"),
            _text("photo_id_back", required=False, kind="file_reference"),
        ],
    ),
    "sep12.receiver": (
        "About the receiver",
        StepType.QUESTIONNAIRE,
        [*_NAME, _text("email_address", required=False), _text("address_country_code", kind="country")],
    ),
    "sep12.bank": (
        "Bank account",
        StepType.QUESTIONNAIRE,
        [
            _text("bank_account_number"),
            _text("bank_number"),
            _text("bank_account_type", required=False, kind="select", options=["checking", "savings"]),
        ],
    ),
}


def templates(brand: str) -> list[dict[str, Any]]:
    """Return the templates of the example for a brand; they are asked by code alone, whatever level is asked."""
    return [
        {
            "brand": brand,
            "code": code,
            "level": 1,
            "name": name,
            "step_type": int(step_type),
            "required": 0,
            "form_schema": {"sections": [{"title": name, "fields": fields}]},
        }
        for code, (name, step_type, fields) in _FORMS.items()
    ]


def settings_text(brand: str, url: str, passphrase: str, horizon: str) -> str:
    """Return the section of the settings that asks the types of the example."""
    lines = [
        "[sep12]",
        "enabled = true",
        f"brand = {json.dumps(brand)}",
        f"url = {json.dumps(url)}",
        f"network_passphrase = {json.dumps(passphrase)}",
        f"horizon = {json.dumps(horizon)}",
        "# Days in which the law has you keep customers you have decided on; 0 = a wallet may have its own deleted.",
        "retention_days = 0",
    ]
    for name, codes in TYPES.items():
        lines += ["", f"[sep12.types.{name}]", f"templates = {json.dumps(codes)}"]
    return "\n".join(lines) + "\n"
