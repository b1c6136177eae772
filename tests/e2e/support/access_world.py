"""What the access matrix is played on: two brands, three customers with one of everything, and fresh things on demand."""

import json
from itertools import count
from typing import Any

from papers import a_pdf, an_active_pdf
from running import Running
from wires import Rest, Tcp

from kycmanager.transports.control import run_local

PLACES = {"mine": (7, "acme"), "neighbour": (8, "acme"), "foreign": (7, "zeta"), "missing": (7, "nowhere")}
BRANDS = {"acme": ["acme"], "zeta": ["zeta"], "none": [], "all": None}
NO_ID = 999_999
ACCOUNT = "GBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6FV4"
NO_FILE = "00000000-0000-4000-8000-000000000000"


def canary(customer: int, brand: str) -> str:
    """Return what stands in every free text of a customer, and nowhere else."""
    return f"CANARY-{brand}-{customer}"


class World:
    """A daemon with a boss for all brands who makes things."""

    def __init__(self, running: Running, tcp: Tcp, rest: Rest) -> None:
        self.running, self.tcp, self.rest = running, tcp, rest
        self.boss = running.token(3, 99, None)
        self.numbers = count(1)
        self.customers = count(1000)
        self.things: dict[tuple[str, str], Any] = {}

    async def ask(self, command: str, data: dict[str, Any], token: str | None = None) -> Any:
        reply = await self.tcp.call(command, data, token or self.boss)
        assert reply.status == 200, (command, data, reply)
        return reply.body

    def customer(self, id: int, brand: str) -> str:  # noqa: A002 - the record's own name
        return self.running.token(9, id, [brand])

    async def build(self) -> None:
        """Make one of everything for everybody."""
        for brand in ("acme", "zeta"):
            made = await self.template(brand, "form", name=canary(0, brand))
            self.things["template", brand] = made
            await self.template(brand, "manual", step_type=4)
        for name in ("mine", "neighbour", "foreign"):
            place = PLACES[name]
            kyc_id, step_id = await self.step(*place, "form")
            answers = {"id": step_id, "answers": {"word": canary(*place)}}
            await self.ask("CustomerSaveKycAnswers", answers, self.customer(*place))
            file_id = await self.file(self.customer(*place), canary(*place))
            self.things["profile", name], self.things["step", name], self.things["file", name] = (
                kyc_id,
                step_id,
                file_id,
            )
            self.things["identity", name] = await self.identity(place[1])
            self.things["document", name] = await self.document(*place, file_id, canary(*place))
            await self.ask("MngAddKycNote", {"kyc_id": kyc_id, "text": canary(*place)})
            self.things["delivery", name] = await self.delivery(*place)
        for brand in ("acme", "zeta"):
            await self.waiting_case(brand)

    async def template(self, brand: str, code: str, **fields: Any) -> int:
        form = {"sections": [{"fields": [{"name": "word", "type": "text"}]}]}
        data = {"brand": brand, "code": code, "level": 1, "step_type": 1, "form_schema": form, **fields}
        return (await self.ask("MngAddKycStepTemplate", data))["template"]["id"]

    async def step(self, customer: int, brand: str, code: str) -> tuple[int, int]:
        """Ask a step of a customer; return the ids of the profile and of the step."""
        await self.ask("MngRequireKycStep", {"customer_id": customer, "brand": brand, "step_code": code})
        found = await self.ask("MngGetKycProfile", {"customer_id": customer, "brand": brand})
        return found["profile"]["id"], next(step["id"] for step in found["steps"][::-1] if step["code"] == code)

    async def waiting_case(self, brand: str) -> int:
        """Hand a step in for a new customer; return the profile."""
        someone = next(self.customers)
        kyc_id, step_id = await self.step(someone, brand, "manual")
        await self.ask("CustomerSubmitKycStep", {"id": step_id}, self.customer(someone, brand))
        return kyc_id

    async def identity(self, brand: str) -> int:
        """Return an identity of a wallet nobody has linked."""
        data = {"brand": brand, "account": ACCOUNT, "memo_type": "id", "memo": str(next(self.numbers))}
        answer = await run_local(self.running.app.core.executor, "SysOpenSepIdentity", data)
        return json.loads(answer)["identity"]["id"]

    async def file(self, token: str, text: str, **query: str) -> str:
        reply = await self.rest.upload(a_pdf(text), f"{text}.pdf", token, **query)
        assert reply.status == 200, reply
        return reply.body["file_id"]

    async def held_file(self, customer: int, brand: str) -> str:
        reply = await self.rest.upload(an_active_pdf(), "held.pdf", self.customer(customer, brand))
        assert reply.status == 200, reply
        return reply.body["file_id"]

    async def document(self, customer: int, brand: str, file_id: str, type: str = "") -> int:  # noqa: A002
        data = {"customer_id": customer, "brand": brand, "file_id": file_id, "type": type}
        return (await self.ask("MngAddKycDocument", data))["document"]["id"]

    async def delivery(self, customer: int, brand: str) -> int:
        """Queue something for a channel that nobody serves; return its id."""
        seq = next(self.numbers)
        told = {"brand": brand, "customer_id": customer, "seq": seq, "kind": "x", "body": canary(customer, brand)}
        held = self.running.app.core.cache.outbound
        data = {"channel": "x", "looked_from": held.cursors.get("x"), "looked_to": seq, "deliveries": [told]}
        await run_local(self.running.app.core.executor, "SysQueueDeliveries", data)
        return held.delivery_of("x", seq).id

    def thing(self, kind: str, name: str) -> Any:
        """Return the id of what stands there, or one that nothing has."""
        if kind == "template":
            return self.things.get((kind, PLACES[name][1]), NO_ID)
        return self.things.get((kind, name), NO_FILE if kind == "file" else NO_ID)

    def standing(self, command: str, name: str) -> dict[str, Any]:
        """Return the data of a call about an object that stays as it is."""
        customer, brand = PLACES[name]
        here = {"customer_id": customer, "brand": brand}
        step, document = {"id": self.thing("step", name)}, {"id": self.thing("document", name)}
        case = {"kyc_id": self.thing("profile", name)}
        channel = {"channels": [f"kyc:{brand}:{customer}"]}
        wallet = {"brand": brand, "account": ACCOUNT}
        return {
            "MngAddKycStepTemplate": {"brand": brand, "code": "never", "level": 1},
            "MngUpdateKycStepTemplate": {"id": self.thing("template", name), "sort_index": 1},
            "MngDeleteKycStepTemplate": {"id": self.thing("template", name)},
            "MngGetKycStepTemplate": {"id": self.thing("template", name)},
            "MngGetKycStepTemplates": {"brand": brand},
            "MngGetKycProfile": {"id": self.thing("profile", name)},
            "MngGetKycProfiles": {"brand": brand},
            "MngGetKycStep": step,
            "MngRequireKycStep": {**here, "step_code": "form"},
            "MngSetKycRequiredLevel": {**here, "level": 1},
            "MngSetKycRisk": {**here, "risk_level": 1},
            "MngApproveKycStep": step,
            "MngRejectKycStep": step,
            "MngReopenKycStep": step,
            "MngSkipKycStep": step,
            "MngMakeKycPortalLink": {"id": self.thing("profile", name)},
            "MngAddKycDocument": {"kyc_id": self.thing("profile", name), "file_id": self.thing("file", name)},
            "MngGetKycDocuments": {"brand": brand},
            "MngApproveKycDocument": document,
            "MngRejectKycDocument": document,
            "MngDeleteKycDocument": document,
            "MngGetKycFile": {"file_id": self.thing("file", name)},
            "MngDecideKycFile": {"file_id": self.thing("file", name), "decision": "release"},
            "MngGetKycAudit": {"brand": brand},
            "MngGetKycGate": here,
            "MngGetKycQueue": {"brand": brand},
            "MngNextKycCase": {"brand": brand},
            "MngGetKycCase": case,
            "MngClaimKycCase": case,
            "MngRenewKycCase": case,
            "MngReleaseKycCase": case,
            "MngAddKycNote": {**case, "text": canary(customer, brand)},
            "MngGetKycNotes": case,
            "MngGetKycReasons": {"brand": brand},
            "MngSaveKycFilter": {"name": "mine", "filter": {}},
            "MngDeleteKycFilter": {"name": "mine"},
            "MngSearchKyc": here,
            "SysIndexAnswers": {"action": "next"},
            "SysCheckFields": {"fields": ["who"]},
            "MngNoteKycAccess": {**case, "action": "view"},
            "MngGetKycDuplicates": case,
            "MngGetKycDeliveries": {"brand": brand},
            "MngReplayKycDelivery": {"id": self.thing("delivery", name)},
            "MngGetKycTemplateImpact": {"brand": brand, "level": 1},
            "MngLinkKycIdentity": {"id": self.thing("identity", name), "customer_id": customer},
            "MngGetKycIdentities": {"brand": brand},
            "SysGetSepCustomer": wallet,
            "SysGetSepIdentity": wallet,
            "SysOpenSepIdentity": wallet,
            "SysPutSepCustomer": {**wallet, "seed": "ab" * 32},
            "SysGetSepFiles": wallet,
            "SysAddSepTemplates": {"brand": brand},
            "SysEraseSepCustomer": wallet,
            "SysEraseKycCustomer": here,
            "SysConfirmSepCustomer": {**wallet, "seed": "ab" * 32},
            "SysSetSepCallback": {**wallet, "url": "https://wallet.example.com/kyc"},
            "SysUseSepChallenge": {"digest": "ab" * 32, "expires": 1},
            "SysForgetSepChallenges": {"digests": []},
            "MngGetKycStatistics": {"brand": brand},
            "SysReleaseCases": {"cases": [self.thing("profile", name)]},
            "kyc.require_step": {**here, "step_code": "form"},
            "kyc.set_required_level": {**here, "level": 1},
            "CustomerGetKycStep": step,
            "CustomerSubmitKycStep": {**step, "answers": {}},
            "CustomerSaveKycAnswers": {**step, "answers": {}},
            "CustomerGetKycDocuments": {"step_id": self.thing("step", name)},
            "CustomerAddKycDocument": {"kyc_id": self.thing("profile", name), "file_id": self.thing("file", name)},
            "CustomerRemoveKycDocument": document,
            "SysUsePortalLink": {"pass_id": "pass:x", **here, "expires": 1},
            "SysEndPortalVisit": {"pass_id": "pass:x", **here, "expires": 1},
            "Subscribe": channel,
            "Unsubscribe": channel,
            "SysRevokeToken": {"jti": "x", "expires": 1},
            "SysRevokeSubject": {"session": 9, "sub": customer, "not_before": 1},
            "SysRecordMalware": {
                "brand": "acme",
                "owner_kind": "customer",
                "owner_id": 1,
                "file_id": self.thing("file", name),
                "malware": "X",
            },
            "SysExpireDue": {"steps": [self.thing("step", name)], "documents": [self.thing("document", name)]},
        }.get(command, {})

    async def fresh(  # noqa: PLR0911, PLR0912 - a case for each kind of command
        self, command: str, name: str, token: str
    ) -> dict[str, Any]:
        """Return the data of a write that can succeed: about something new where the write uses it up.

        `token` is that of the caller, where the caller must have done something before.
        """
        _, brand = PLACES[name]
        data = self.standing(command, name)
        code = f"n{next(self.numbers)}"
        if command == "MngAddKycStepTemplate":
            return data | {"code": code}
        if command == "MngDeleteKycStepTemplate":
            return {"id": await self.template(brand, code)}
        if command in {"MngApproveKycStep", "MngRejectKycStep", "MngSkipKycStep", "MngReopenKycStep"}:
            someone = next(self.customers)
            _, step_id = await self.step(someone, brand, "manual")
            if command in {"MngRejectKycStep", "MngReopenKycStep"}:
                await self.ask("CustomerSubmitKycStep", {"id": step_id}, self.customer(someone, brand))
            if command == "MngReopenKycStep":
                await self.ask("MngRejectKycStep", {"id": step_id})
            return {"id": step_id}
        decisions = {"MngApproveKycDocument", "MngRejectKycDocument", "MngDeleteKycDocument"}
        if command in {*decisions, "CustomerRemoveKycDocument"}:
            return {"id": await self.document(*PLACES[name], self.thing("file", name))}
        if command in {"MngClaimKycCase", "MngRenewKycCase", "MngReleaseKycCase"}:
            data = {"kyc_id": await self.waiting_case(brand)}
            if command == "MngReleaseKycCase":
                await self.ask("MngClaimKycCase", data, token)
        if command == "MngNextKycCase" and brand != "nowhere":
            await self.waiting_case(brand)
        if command == "MngLinkKycIdentity":
            return {"id": await self.identity(brand), "customer_id": next(self.customers)}
        if command == "MngDeleteKycFilter":
            data = {"name": code}
            await self.ask("MngSaveKycFilter", {**data, "filter": {}}, token)
        if command == "MngDecideKycFile":
            data |= {"file_id": await self.held_file(*PLACES[name])}
        if command == "CustomerSubmitKycStep":
            await self.template(brand, code)
            return {"id": (await self.step(*PLACES[name], code))[1], "answers": {}}
        return data

    def marks(self) -> tuple[int, int]:
        """Return the next numbers of the audit and of the feed: a refused call moves neither."""
        counters = self.running.app.core.cache.counters
        return counters["audit"], counters["event"]
