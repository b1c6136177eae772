"""The endpoints of SEP-10: a challenge is given, and a token for each that was answered, once."""

from typing import Any

import msgspec
from aiohttp import web

from kycmanager.apis.sep12 import bodies
from kycmanager.apis.sep12.challenge import Challenges
from kycmanager.apis.sep12.client_domain import ClientDomains
from kycmanager.apis.sep12.customer import text_of
from kycmanager.apis.sep12.horizon import Horizon
from kycmanager.apis.sep12.rows import Rows
from kycmanager.apis.sep12.settings import DoorSettings
from kycmanager.apis.sep12.tokens import MUXED, Tokens, wallet_of
from kycmanager.domain.errors import KycError, invalid
from kycmanager.domain.wallets import CONTRACT, MEMO_ID, memo_of
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.commands import query_fields


class Login:
    """Signs wallets in."""

    def __init__(
        self,
        settings: DoorSettings,
        challenges: Challenges,
        tokens: Tokens,
        horizon: Horizon,
        domains: ClientDomains,
        rows: Rows,
    ) -> None:
        self._settings = settings
        self._challenges = challenges
        self._tokens = tokens
        self._horizon = horizon
        self._domains = domains
        self._rows = rows

    async def challenge(self, request: web.BaseRequest) -> Answer:
        """Give a challenge."""
        fields: dict[str, Any] = dict(query_fields(request))
        account, memo = text_of(fields, "account"), text_of(fields, "memo")
        home, domain = text_of(fields, "home_domain"), text_of(fields, "client_domain")
        if not account:
            raise invalid("account", "is required")
        if ":" in account:
            raise invalid("account", "expected a Stellar account; a memo has a parameter of its own")
        wallet_of(account)
        if account.startswith(CONTRACT):
            raise invalid("account", "a contract account cannot sign in here; use G or M")
        if memo:
            if account.startswith(MUXED):
                raise invalid("memo", "is not allowed with a muxed account; leave it out")
            memo = memo_of(MEMO_ID, memo)[1]
        if home and home != self._settings.home_domain:
            raise invalid("home_domain", f"is not served here; expected {self._settings.home_domain}")
        key = await self._domains.signing_key(domain.lower()) if domain else ""
        made = self._challenges.make(account, memo, domain.lower(), key)
        found = {"transaction": made, "network_passphrase": self._settings.network_passphrase}
        return Answer(200, msgspec.json.encode(found))

    async def token(self, request: web.BaseRequest) -> Answer:
        """Give a token for an answered challenge; the second time it is refused."""
        sent = await bodies.read(request, self._settings.rest)
        text = sent.fields.get("transaction")
        if not isinstance(text, str) or not text:
            raise invalid("transaction", "is required")
        answered = self._challenges.read(text)
        self._challenges.check(text, await self._horizon.account(answered.account))
        try:
            used = {"digest": answered.digest, "expires": answered.expires}
            await self._rows.run("SysUseSepChallenge", used)
        except KycError as error:
            raise KycError(error.code, error.message) from None
        token = self._tokens.issue(answered.subject, answered.digest, answered.client_domain)
        return Answer(200, msgspec.json.encode({"token": token}))
