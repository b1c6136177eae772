"""What the pictures show: a brand with customers whose papers wait, some of them with a story."""

from typing import Any

from office import Office
from pictures import jpeg, pdf

from kycmanager.demo.forms import FORM

BRAND = "acme"
REVIEWERS = ("ann", "ben")
MAIN = 1001
"""The customer whose case is opened."""

HOUR = 3600
LABELS = {
    "full_name": "Full name", "birth_date": "Date of birth", "country": "Country", "occupation": "Occupation",
    "income": "Income in a year, EUR", "public_office": "Do you hold a public office?", "sources": "Where your money is from",
}  # fmt: skip
PEOPLE = (
    ("Maria Example", "PT", 3), ("Jonas Sample", "DE", 1), ("Aiko Model", "JP", 0), ("Petra Instance", "CZ", 2),
    ("Luca Esempio", "IT", 0), ("Nadia Primer", "BG", 3), ("Tom Specimen", "IE", 1), ("Ines Muestra", "ES", 0),
    ("Olaf Prove", "NO", 2), ("Zoe Paradigm", "GR", 0), ("Ewa Wzor", "PL", 0), ("Kim Pattern", "KR", 1),
)  # fmt: skip
"""Name, country and risk of each customer, in the order they came."""


def form() -> dict[str, Any]:
    """Return the questionnaire of the demo with words for people."""
    sections = [
        {**section, "fields": [{**field, "label": LABELS[field["name"]]} for field in section["fields"]]}
        for section in FORM["sections"]
    ]
    return {"sections": sections}


def answers(name: str, country: str) -> dict[str, Any]:
    return {
        "full_name": name, "birth_date": "1990-12-31", "country": country, "occupation": "employed", "income": 52_000,
        "public_office": False, "sources": ["salary", "savings"],
    }  # fmt: skip


async def build(office: Office) -> dict[str, int]:
    """Fill a daemon; return the ids that addresses of pages name."""
    for name in REVIEWERS:
        await office.user(name, role="crm_admin")
    about = {"name": "About you", "step_type": 1, "form_schema": form(), "description": "Who you are, and your money."}
    await office.template(BRAND, "about", sort_index=1, **about)
    passport = {
        "name": "Passport",
        "step_type": 0,
        "description": "The page with your picture, all four edges in view.",
    }
    await office.template(BRAND, "passport", sort_index=2, **passport)
    bill = {"name": "Proof of address", "step_type": 0, "level": 2, "description": "A bill of the last three months."}
    await office.template(BRAND, "address", sort_index=3, **bill)
    for customer, (name, country, risk) in enumerate(PEOPLE, MAIN):
        office.now += 5 * HOUR + 17 * 60
        boss, who = office.token(3, 99, None), {"customer_id": customer, "brand": BRAND}
        level = 2 if customer % 3 == MAIN % 3 else 1
        await office.rest("/manager/kyc/required-level", boss, {**who, "level": level})
        if risk:
            await office.rest("/manager/kyc/risk", boss, {**who, "risk_level": risk, "reason": "score of the CRM"})
        await office.document(jpeg(name), "passport.jpg", "passport", customer, code="passport")
        await office.submit(customer, BRAND, answers(name, country), "about")
        await office.submit(customer, BRAND, {}, "passport")
    await office.document(pdf(2), "bill.pdf", "bill", MAIN, code="address")
    await office.submit(MAIN, BRAND, {}, "address")
    await _story(office)
    boss, newcomer = office.token(3, 99, None), {"customer_id": NEWCOMER, "brand": BRAND}
    await office.rest("/manager/kyc/required-level", boss, {**newcomer, "level": 2})
    await office.document(jpeg("Vera Novice"), "passport.jpg", "passport", NEWCOMER, code="passport")
    await office.submit(NEWCOMER, BRAND, {}, "passport")
    cache = office.app.core.cache
    steps = {step.code: step.id for step in cache.steps_of(cache.profile_of(NEWCOMER, BRAND).id)}
    return {
        "case": cache.profile_of(MAIN, BRAND).id, "template": cache.template_by_code(BRAND, "about").id,
        "step": steps["about"],
    }  # fmt: skip


NEWCOMER = 1042
"""The customer whose own pages are shown."""


async def _story(office: Office) -> None:
    """Let the reviewers have done some work."""
    cache = office.app.core.cache
    ann, ben = office.token(11, 1, (BRAND,)), office.token(11, 2, (BRAND,))
    office.now += HOUR
    kyc_id = cache.profile_of(MAIN, BRAND).id
    note = {"kyc_id": kyc_id, "text": "Called on Tuesday: moved in May, the bill is to the new address."}
    await office.rest("/manager/kyc/notes", ben, note)
    for customer, verdict in ((MAIN + 3, "approve"), (MAIN + 4, "approve"), (MAIN + 6, "reject")):
        office.now += 240
        step = next(each for each in cache.steps_of(cache.profile_of(customer, BRAND).id) if each.code == "passport")
        data = {"reason": "unreadable", "comment": "The edges are cut off"} if verdict == "reject" else {}
        await office.rest(f"/manager/kyc/steps/{step.id}/{verdict}", ann, {"id": step.id, **data})
    taken = cache.profile_of(MAIN + 5, BRAND).id
    await office.rest("/manager/kyc/queue/claim", ben, {"kyc_id": taken})
