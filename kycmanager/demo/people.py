"""Who takes part in the day: the clients of one administrator, one workflow, one customer and one reviewer."""

import asyncio
import time
from typing import Any, Self

from msgspec import Struct

from kycmanager.client import Encoding, Notice, Push, RemoteError, RestClient, TcpClient
from kycmanager.client.caller import ReplyT
from kycmanager.commands.profiles import GateReply
from kycmanager.contract.shapes import UploadReply
from kycmanager.demo.daemon import Ready
from kycmanager.demo.story import Story
from kycmanager.domain.enums import ProfileStatus, SessionType, StepStatus
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.keys import SigningKey

BRAND = "acme"
CUSTOMER_ID = 1001
REVIEWER_ID = 42
ADMINISTRATOR_ID = 7
WORKFLOW_ID = 900

PUSH_SECONDS_MAX = 10.0
_TOKEN_SECONDS = 3600


class RestPerson(RestClient):
    """Somebody who works over REST."""

    def __init__(self, name: str, story: Story, url: str, token: str) -> None:
        super().__init__(url, token=token)
        self.name = name
        self._story = story

    async def call(
        self, command: str, data: dict[str, Any], reply: type[ReplyT], *, idempotency_key: str | None = None
    ) -> ReplyT:
        """Call as every client does, and show it."""
        self._story.trace(self.name, ">", {command: data})
        answer = await super().call(command, data, reply, idempotency_key=idempotency_key)
        self._story.trace(self.name, "<", answer)
        return answer

    async def send(self, content: bytes, name: str, *, raw: bool) -> UploadReply:
        """Upload a file, as a form or as the body itself."""
        self._story.trace(self.name, ">", f"POST /upload {name}, {len(content)} bytes, {'raw' if raw else 'form'}")
        answer = await self.upload(content, filename=name, purpose="kyc", raw=raw)
        self._story.trace(self.name, "<", answer)
        return answer


class Reviewer(TcpClient):
    """Somebody at a desk of the back office, over TCP in msgpack: calls go out, events come in by themselves."""

    def __init__(self, name: str, story: Story, address: tuple[str, int], token: str) -> None:
        super().__init__(*address, token=token, encoding=Encoding.MSGPACK, on_push=self._see)
        self.name = name
        self._story = story
        self._screen: asyncio.Queue[str] = asyncio.Queue()

    async def call(
        self, command: str, data: dict[str, Any], reply: type[ReplyT], *, idempotency_key: str | None = None
    ) -> ReplyT:
        """Call as every client does, and show it."""
        self._story.trace(self.name, ">", {command: data})
        answer = await super().call(command, data, reply, idempotency_key=idempotency_key)
        self._story.trace(self.name, "<", answer)
        return answer

    async def sees(self, *expected: str) -> None:
        """Wait for as many events as are expected, and tell of them. Raises Unexpected."""
        came: list[str] = []
        try:
            async with asyncio.timeout(PUSH_SECONDS_MAX):
                while len(came) < len(expected):
                    came.append(await self._screen.get())
        except TimeoutError:
            pass
        self._story.live(came, expected)

    def unread(self) -> list[str]:
        """Return the events nobody has waited for."""
        return [self._screen.get_nowait() for _ in range(self._screen.qsize())]

    def _see(self, push: Push | Notice) -> None:
        self._screen.put_nowait(label(push))


def label(push: Push | Notice) -> str:
    """Write an event as one line on a reviewer's screen."""
    if isinstance(push, Notice):
        return f"notice: {push.message}"
    data = push.data
    if push.event != "kyc:event":
        status = ProfileStatus(data["kyc_status"]).name.lower()
        return f"{push.event}: {data['code']} of customer {data['customer_id']}, who is {status} now"
    kind, record = data["kind"], data["record"]
    if kind.startswith("profile."):
        status = ProfileStatus(record["status"]).name.lower()
        return f"{kind}: {status}, level {record['current_level']} of {record['required_level']}"
    if kind.startswith("step."):
        return f"{kind}: {record['code']} is {StepStatus(record['status']).name.lower()}"
    if kind.startswith("document."):
        return f"{kind}: {record['file_name']}"
    return f"{kind}: {record['code']}"


class People(Struct):
    """Everybody, connected to one daemon."""

    anna: RestPerson
    workflow: RestPerson
    maria: RestPerson
    boris: Reviewer
    files: RestPerson
    """Boris again, where a stored file is fetched: files travel over REST only."""

    async def gate(self) -> GateReply:
        """Ask, as the CRM does before it opens an account, whether that is allowed."""
        return await self.boris.mng_get_kyc_gate(customer_id=CUSTOMER_ID, brand=BRAND)

    async def __aenter__(self) -> Self:
        for each in (self.anna, self.workflow, self.maria, self.boris, self.files):
            await each.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        for each in (self.anna, self.workflow, self.maria, self.boris, self.files):
            await each.close()


def people(story: Story, ready: Ready, key: SigningKey) -> People:
    """Give everybody a token and a client."""
    url = "http://{}:{}".format(*ready.http)

    def token(session: SessionType, sub: int) -> str:
        return issue_token(
            key, session=session, sub=sub, brands=[BRAND], now=int(time.time()), ttl_seconds=_TOKEN_SECONDS
        )

    reviewer = token(SessionType.CRM_MANAGER, REVIEWER_ID)
    return People(
        anna=RestPerson("Anna", story, url, token(SessionType.CRM_ADMIN, ADMINISTRATOR_ID)),
        workflow=RestPerson("Workflow", story, url, token(SessionType.SYSTEM, WORKFLOW_ID)),
        maria=RestPerson("Maria", story, url, token(SessionType.CUSTOMER, CUSTOMER_ID)),
        boris=Reviewer("Boris", story, ready.tcp, reviewer),
        files=RestPerson("Boris", story, url, reviewer),
    )


async def refusal(call: Any) -> RemoteError | None:
    """Return how a call is refused, None when it is not."""
    try:
        await call
    except RemoteError as error:
        return error
    return None
