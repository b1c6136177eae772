"""A daemon that tells wallets: identities with a callback, and one step to hand in."""

import base64
import re
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sender import Sending

from kycmanager.apis.sep12.view import status_body
from kycmanager.core import log_fault
from kycmanager.domain.enums import SessionType
from kycmanager.domain.session import Session
from kycmanager.outbound.callbacks import CallbackChannel
from kycmanager.outbound.opening import outbound_of

ACCOUNT = "G" + "A" * 55
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNATURE = re.compile(r"t=([0-9]+), s=([A-Za-z0-9+/]+=*)")


def signed_by(call: Any, host: str) -> int:
    """Verify the signature of a callback as a wallet does, and return its time; raises InvalidSignature."""
    time, signature = SIGNATURE.fullmatch(call.headers["Signature"]).groups()
    KEY.public_key().verify(base64.b64decode(signature), f"{time}.{host}.".encode() + call.body)
    return int(time)


class Wallets(Sending):
    """The App with the channel of callbacks."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        core = self.app.core
        self.app.outbound = outbound = outbound_of(
            self.config.webhooks,
            core.cache,
            core.store,
            run=self.local,
            clock=core.clock,
            faults=log_fault,
            channels=[CallbackChannel(core.cache, KEY, status_body, allow_private=True)],
        )
        core.followers.append(lambda committed: outbound.publish(committed.events))
        outbound.start()
        return self

    async def known(self, url: str, account: str = ACCOUNT, **more: Any) -> int:
        """Have a wallet make a customer known and name its URL; return the identity."""
        who = {"brand": "acme", "account": account, **more}
        found = await self.local("SysOpenSepIdentity", who)
        await self.local("SysSetSepCallback", {**who, "url": url})
        return found["identity"]["id"]

    async def asked(self, customer: int, code: str = "sep12.default") -> int:
        """Ask a step of a customer, the one of the default type unless told otherwise; return its id."""
        cache = self.app.core.cache
        if cache.template_by_code("acme", code) is None:
            form = {"sections": [{"fields": [{"name": "first_name", "type": "text", "required": True}]}]}
            data = {"brand": "acme", "code": code, "level": 1, "step_type": 1, "form_schema": form}
            await self.run("MngAddKycStepTemplate", data)
        await self.run("MngRequireKycStep", {"customer_id": customer, "brand": "acme", "step_code": code})
        return cache.steps_of(cache.profile_of(customer, "acme").id)[-1].id

    async def handed_in(self, customer: int, step: int) -> None:
        session = Session(sub=customer, type=SessionType.CUSTOMER, brands=frozenset({"acme"}))
        await self.run("CustomerSubmitKycStep", {"id": step, "answers": {"first_name": "Ann"}}, session)
