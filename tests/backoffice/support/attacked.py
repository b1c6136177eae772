"""Two brands with one of everything, and what is hostile in every text of theirs that somebody can write."""

import re
from typing import Any
from urllib.parse import quote

import aiohttp
from office import Office

CUSTOMER, OTHER = 700_001, 700_002
"""The customers of acme and of zeta."""

SHORT = "\"'><img src=x class=canary onerror=window.canary=1>"
HOSTILE = (
    f"{SHORT}</title></textarea></option></script><script>window.canary=1</script>"
    "<a class=canary href=javascript:window.canary=1>x</a>{{7*7}}"
)
"""What must never be anything but text: the short one where little room is."""

SECRET = "only-for-zeta"
FORM: dict[str, Any] = {
    "sections": [
        {
            "title": "T",
            "fields": [
                {"name": "full_name", "type": "text", "label": "L", "required": True},
                {"name": "color", "type": "select", "label": "C", "options": ["red", "blue"]},
            ],
        }
    ]
}


def spoilt(text: str) -> dict[str, Any]:
    """Return the form with a text for titles and labels."""
    (section,) = FORM["sections"]
    fields = [{**field, "label": text, "placeholder": text, "help": text} for field in section["fields"]]
    return {"sections": [{**section, "title": text, "description": text, "fields": fields}]}


async def sent(office: Office, token: str, content: bytes, name: str) -> str:
    """Upload a file under a name that forms would quote; return its uuid."""
    headers = {"Authorization": token, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    async with (
        aiohttp.ClientSession(office.url) as http,
        http.post("/upload", data=content, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return (await answer.json())["file_id"]


class Brand:
    """One of everything in a brand: a case with a rejected and a pending step, a document, a note, a template."""

    def __init__(self, name: str, customer: int, text: str, short: str = "") -> None:
        self.name = name
        self.customer = customer
        self.text = text
        self.short = short or text

    async def fill(self, office: Office) -> "Brand":
        text, brand, customer = self.text, self.name, self.customer
        boss, own = office.token(3, 99, None), office.token(9, customer, (brand,))
        for code in ("identity", "address"):
            await office.template(
                brand, code, name=text[:200], description=text, form_schema=spoilt(text), requirements={"about": text}
            )
        who = {"customer_id": customer, "brand": brand}
        await office.rest("/manager/kyc/required-level", boss, {**who, "level": 1})
        profile = office.app.core.cache.profile_of(customer, brand)
        self.kyc_id = profile.id
        first, second = (step.id for step in office.app.core.cache.steps_of(profile.id))
        name = f"{self.short}.txt"
        file_id = await sent(office, own, b"an honest text of <b>somebody</b>\n", name)
        document = {"kyc_id": profile.id, "step_id": first, "type": self.short, "file_id": file_id}
        made = (await office.rest("/customer/kyc/documents", own, document))["document"]
        self.document_id, self.file_id, self.step_id = made["id"], file_id, first
        self.template_id = office.app.core.cache.step(first).template_id
        for step in (first, second):
            answers = {"full_name": text, "color": "red"}
            await office.rest(f"/customer/kyc/steps/{step}/submit", own, {"answers": answers})
        refused = {"reason": text[:200], "comment": text}
        await office.rest(f"/manager/kyc/steps/{second}/reject", boss, {"id": second, **refused})
        await office.rest("/manager/kyc/risk", boss, {**who, "risk_level": 3, "reason": text[:200]})
        manager = office.token(1, 77, (brand,))
        await office.rest("/manager/kyc/notes", manager, {"kyc_id": profile.id, "text": text})
        return self


IDS = {
    "/cases/{kyc_id}": lambda brand: brand.kyc_id,
    "/cases/{kyc_id}/steps/{record_id}": lambda brand: brand.step_id,
    "/cases/{kyc_id}/documents/{record_id}": lambda brand: brand.document_id,
    "/cases/{kyc_id}/files/{file_id}": lambda brand: brand.file_id,
    "/templates/{id}": lambda brand: brand.template_id,
}
"""Every id in an address, by the address up to it; a page with a new kind of id must be told of here."""


def routes(office):
    """Return (method, address) of every page, the addresses below the prefix with their ids in braces."""
    app = office.app.backoffice._runner.app
    found = [(route.method, route.resource.canonical.removeprefix("/backoffice")) for route in app.router.routes()]
    return sorted({each for each in found if each[0] != "HEAD" and "/static/" not in each[1]})


def ids_of(address):
    """Return the addresses up to each id in one, as `IDS` has them."""
    return [address[: each.end()] for each in re.finditer(r"\{\w+\}", address)]


def placed(address, brands):
    """Put ids into an address: each of the brand that `brands` names for it, in order."""
    for known, brand in zip(ids_of(address), brands, strict=True):
        address = address.replace(known[known.rindex("{") :], str(IDS[known](brand)), 1)
    return address
