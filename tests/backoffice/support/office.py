"""A daemon with users and cases, and a visitor who speaks to its pages like a browser without scripts."""

import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

sys.path.insert(0, str(Path(__file__).parents[2] / "e2e" / "support"))

from argon2 import PasswordHasher
from running import Running

from kycmanager.transports.control import run_local

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""A hash tells itself what it costs to check; hundreds of sign-ins need none that costs what a thief is to pay."""
WORD = re.compile(r'name="word" value="([0-9a-f]{64})"')


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Any, text: str) -> None:
        self.status = status
        self.headers = headers
        self.text = text
        self.words = " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub("</?bdi>", "", text))).split())

    @property
    def place(self) -> str:
        """Where it sends to."""
        return self.headers.get("Location", "")


class Visitor:
    """One browser: its cookies, and the word of the last page it was shown."""

    def __init__(self, url: str, **headers: str) -> None:
        self.http = aiohttp.ClientSession(
            url, cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": "Tester", **headers}
        )
        self.word = ""
        self.cookies: dict[str, str] = {}
        """Kept by hand: those for TLS only go out too, as if there were a proxy that speaks it."""

    def opening(self, method: str, path: str, headers: Any = None, **named: Any) -> Any:
        """Return what asks, with the cookies."""
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        named["headers"] = {**(headers or {}), **({"Cookie": sent} if sent else {})}
        return self.http.request(method, path, allow_redirects=False, **named)

    async def ask(self, method: str, path: str, **named: Any) -> Answer:
        async with self.opening(method, path, **named) as answer:
            found = Answer(answer.status, answer.headers, await answer.text())
        self.cookies |= {name: cookie.value for name, cookie in answer.cookies.items()}
        shown = WORD.search(found.text)
        if shown:
            self.word = shown[1]
        return found

    async def get(self, path: str, **named: Any) -> Answer:
        return await self.ask("GET", f"/backoffice{path}", **named)

    async def post(self, path: str, form: dict[str, Any] | None = None, **named: Any) -> Answer:
        data = {"word": self.word, **(form or {})}
        return await self.ask("POST", f"/backoffice{path}", data=data, **named)

    async def follow(self, answer: Answer) -> Answer:
        assert answer.status == 303, (answer.status, answer.words)
        return await self.ask("GET", answer.place)

    async def sign_in(self, name: str = "ann", password: str = PASSWORD, **form: str) -> Answer:
        await self.get("/sign-in")
        return await self.post("/sign-in", {"name": name, "password": password, **form})

    def cookie(self) -> str:
        return self.cookies.get("backoffice", "")


@asynccontextmanager
async def browsers(kind: type[Visitor]) -> AsyncIterator[Callable[..., Visitor]]:
    """Give what makes visitors of a house, each another browser; they are closed in the end."""
    async with AsyncExitStack() as made:

        def visit(house: "Office", **headers: str) -> Visitor:
            visitor = kind(house.url, **headers)
            made.push_async_callback(visitor.http.close)
            return visitor

        yield visit


class Office(Running):
    """The App, and what tests of the pages need of it."""

    @property
    def url(self) -> str:
        host, port = self.app.http_address
        return f"http://{host}:{port}"

    async def local(self, command: str, data: dict[str, Any]) -> Any:
        return msgspec.json.decode(await run_local(self.app.core.executor, command, data))

    async def user(self, name: str = "ann", brands: Any = ("acme",), role: str = "manager", **more: Any) -> int:
        data = {"name": name, "role": role, "brands": list(brands) if brands else None, "password_hash": HASH}
        return (await self.local("SysAddUser", {**data, **more}))["user"]["id"]

    async def rest(self, path: str, token: str, data: Any = None) -> Any:
        async with (
            aiohttp.ClientSession(self.url) as http,
            http.post(path, json=data or {}, headers={"Authorization": token}) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def template(self, brand: str = "acme", code: str = "identity", **fields: Any) -> None:
        data = {"brand": brand, "code": code, "level": 1, "name": code.title(), "step_type": 1, **fields}
        await self.rest("/manager/kyc/templates", self.token(3, 99, None), data)

    async def case(self, customer: int = 7, brand: str = "acme", *, risk: int = 0, level: int = 1) -> int:
        """Have a customer hand everything in; return the profile's id."""
        boss = self.token(3, 99, None)
        who = {"customer_id": customer, "brand": brand}
        if not self.app.core.cache.active_templates(brand):
            await self.template(brand)
        await self.rest("/manager/kyc/required-level", boss, {**who, "level": level})
        if risk:
            await self.rest("/manager/kyc/risk", boss, {**who, "risk_level": risk})
        profile = self.app.core.cache.profile_of(customer, brand)
        own = self.token(9, customer, (brand,))
        for step in self.app.core.cache.steps_of(profile.id):
            await self.rest(f"/customer/kyc/steps/{step.id}/submit", own, {"answers": {}})
        return profile.id

    async def file(self, content: bytes, name: str, customer: int = 7, brand: str = "acme") -> str:
        """Have a customer upload a file; return its uuid."""
        form = aiohttp.FormData()
        form.add_field("purpose", "kyc")
        form.add_field("file", content, filename=name)
        headers = {"Authorization": self.token(9, customer, (brand,))}
        async with aiohttp.ClientSession(self.url) as http, http.post("/upload", data=form, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return (await answer.json())["file_id"]

    async def document(
        self, content: bytes, name: str, kind: str, customer: int = 7, brand: str = "acme", code: str = ""
    ) -> Any:
        """Have a customer attach a file to the profile, or to the step of a code; return the document."""
        profile = self.app.core.cache.profile_of(customer, brand)
        steps = [step.id for step in self.app.core.cache.steps_of(profile.id) if step.code == code]
        data = {
            "kyc_id": profile.id, "step_id": steps[-1] if steps else 0, "type": kind,
            "file_id": await self.file(content, name, customer, brand),
        }  # fmt: skip
        token = self.token(9, customer, (brand,))
        return (await self.rest("/customer/kyc/documents", token, data))["document"]

    async def submit(self, customer: int, brand: str, answers: dict[str, Any], code: str) -> int:
        """Have a customer hand in a step; return its id."""
        profile = self.app.core.cache.profile_of(customer, brand)
        step = next(step for step in self.app.core.cache.steps_of(profile.id)[::-1] if step.code == code)
        path = f"/customer/kyc/steps/{step.id}/submit"
        await self.rest(path, self.token(9, customer, (brand,)), {"answers": answers})
        return step.id

    async def audit(self) -> list[Any]:
        from kycmanager.ports import AuditQuery

        rows, _, _ = await self.app.core.store.audit(AuditQuery(brands=None, limit=1000))
        return list(rows)[::-1]
