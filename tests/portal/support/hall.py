"""A daemon whose customers are asked for things, and a customer who visits its pages without scripts."""

import io
import re
from typing import Any

from office import Answer, Office, Visitor

FORM = {
    "titles": {"es": "Sobre usted"},
    "sections": [
        {
            "title": "You",
            "fields": [
                {
                    "name": "full_name",
                    "type": "text",
                    "label": "Full name",
                    "labels": {"es": "Nombre"},
                    "required": True,
                },
                {"name": "born", "type": "date", "label": "Date of birth", "required": True},
                {"name": "country", "type": "country", "label": "Country", "required": True},
                {"name": "office", "type": "boolean", "label": "Do you hold a public office?"},
                {"name": "which", "type": "text", "label": "Which?", "shown_if": {"field": "office", "is": True}},
                {"name": "proof", "type": "file_reference", "label": "Proof"},
            ],
        }
    ],
}
ANSWERS = {"answer.0": "Maria Example", "answer.1": "1990-12-31", "answer.2": "PT"}
PAPERS = {"documents": [{"type": "id_card", "sides": True}, {"type": "selfie", "required": False}]}


def part(field: str, name: str | None, content: bytes) -> bytes:
    """Return a part of a form as browsers write it."""
    named = "" if name is None else f'; filename="{name}"\r\nContent-Type: application/octet-stream'
    return f'--edge\r\nContent-Disposition: form-data; name="{field}"{named}\r\n\r\n'.encode() + content + b"\r\n"


class Customer(Visitor):
    """One browser of a customer."""

    async def get(self, path: str, **named: Any) -> Answer:
        return await self.ask("GET", f"/portal{path}", **named)

    async def post(self, path: str, form: dict[str, Any] | None = None, **named: Any) -> Answer:
        data = {"word": self.word, **(form or {})}
        return await self.ask("POST", f"/portal{path}", data=data, **named)

    async def upload(
        self, path: str, content: bytes, name: str = "card.jpg", type_: str = "", **headers: str
    ) -> Answer:
        """Send a file as a page does; the word comes first."""
        parts = [("word", None, headers.pop("word", self.word).encode()), ("type", None, type_.encode())]
        parts += [("file", "", b""), ("file", name, content)]
        body = b"".join([part(*each) for each in parts]) + b"--edge--\r\n"
        sent = {"Content-Type": "multipart/form-data; boundary=edge", **headers}
        return await self.ask("POST", f"/portal{path}", data=io.BytesIO(body), headers=sent)

    async def enter(self, token: str) -> Answer:
        await self.get("/sign-in")
        return await self.post("/sign-in", {"token": token})

    def cookie(self) -> str:
        return self.cookies.get("portal", "")


class Hall(Office):
    """The daemon, and what customers are asked."""

    async def ask(self, code: str = "about", customer: int = 7, brand: str = "acme", **fields: Any) -> int:
        """Ask a step of a customer, from a new template where there is none yet; return its id."""
        if self.app.core.cache.template_by_code(brand, code) is None:
            await self.template(brand, code, **fields)
        who = {"customer_id": customer, "brand": brand, "step_code": code}
        await self.rest("/manager/kyc/steps/require", self.boss, who)
        return next(step.id for step in self.steps(customer, brand)[::-1] if step.code == code)

    @property
    def boss(self) -> str:
        return self.token(3, 99, None)

    def steps(self, customer: int = 7, brand: str = "acme") -> Any:
        profile = self.app.core.cache.profile_of(customer, brand)
        return self.app.core.cache.steps_of(profile.id)

    def documents(self, customer: int = 7, brand: str = "acme") -> Any:
        return self.app.core.cache.documents_of(self.app.core.cache.profile_of(customer, brand).id)

    async def link(self, customer: int = 7, brand: str = "acme", **fields: Any) -> str:
        """Make a link; return its path below /portal."""
        data = {"customer_id": customer, "brand": brand, **fields}
        return (await self.rest("/manager/kyc/portal-link", self.boss, data))["url"].removeprefix("/portal")

    def own(self, customer: int = 7, brand: str = "acme") -> str:
        return self.token(9, customer, (brand,))


def places(answer: Answer) -> set[str]:
    """Return where a page leads to, and what it is made of."""
    return set(re.findall(r'(?:href|src|action)="([^"]*)"', answer.text))
