"""Links to the pages of customers, used once; what a customer takes back; passes that are nobody else's tokens."""

import jwt
import pytest

from kycmanager.domain.errors import KycError
from kycmanager.domain.passes import Pass
from kycmanager.tokens.passes import LINKS, new_id

WHO = {"customer_id": 7, "brand": "acme"}


@pytest.fixture
async def asked(daemon):
    """A daemon where customer 7 of acme was asked for something."""
    await daemon.step()
    return daemon


async def link_of(daemon, **fields):
    made = await daemon.manager().call("MngMakeKycPortalLink", {**WHO, **fields})
    return made, daemon.core.passes.read(made["url"].removeprefix(f"{LINKS}/"), "link")


def ending(found):
    return {name: getattr(found, name) for name in ("pass_id", "customer_id", "brand", "expires")}


async def use(daemon, found):
    return await daemon.local("SysUsePortalLink", ending(found))


async def test_a_link_lets_one_customer_in_until_it_runs_out(asked):
    made, found = await link_of(asked)
    assert made["expires_at"] == found.expires == asked.now + 72 * 3600
    session = found.session
    assert (session.sub, session.own_brand, session.is_customer) == (7, "acme", True)
    asked.now = found.expires
    assert asked.core.passes.read(made["url"].removeprefix(f"{LINKS}/"), "link") is None


@pytest.mark.parametrize(("ttl", "status"), [(60, 200), (30 * 86_400, 200), (30 * 86_400 + 1, 400), (-1, 400)])
async def test_how_long_a_link_is_good_may_be_said(asked, ttl, status):
    if status == 200:
        made, _ = await link_of(asked, ttl=ttl)
        assert made["expires_at"] == asked.now + ttl
    else:
        assert (await asked.manager().refused("MngMakeKycPortalLink", {**WHO, "ttl": ttl}))[0] == status


async def test_a_link_is_used_once_also_by_two_at_the_same_moment_and_after_a_restart(asked):
    _, found = await link_of(asked)
    calls = [use(asked, found), use(asked, found)]
    import asyncio

    first, second = await asyncio.gather(*calls, return_exceptions=True)
    assert first == {"accepted": True}
    assert isinstance(second, KycError)
    assert second.code.wire_name == "INVALID_STATE"
    await asked.restart()
    with pytest.raises(KycError, match="used before"):
        await use(asked, found)
    rows = [row for row in await asked.audit() if row.action.startswith("portal.")]
    assert [(row.action, row.customer_id, row.kyc_id) for row in rows] == [
        ("portal.link_made", 7, 1),
        ("portal.link_used", 7, 1),
    ]
    assert rows[0].details == {"link": found.pass_id, "expires": found.expires}


async def test_a_refused_use_leaves_the_link_as_it_was(asked):
    _, found = await link_of(asked)
    with pytest.raises(KycError):
        await asked.local("SysUsePortalLink", {**ending(found), "pass_id": "no pass"})
    assert await use(asked, found) == {"accepted": True}


async def test_what_uses_links_up_does_not_make_tokens_be_verified_anew(asked):
    _, found = await link_of(asked)
    epoch = asked.core.revocations.epoch
    await use(asked, found)
    assert asked.core.revocations.epoch == epoch
    await asked.local("SysRevokeToken", {"jti": "x", "expires": 0})
    assert asked.core.revocations.epoch == epoch + 1


async def test_links_go_with_the_tokens_of_their_customer(asked):
    made, _ = await link_of(asked)
    await asked.local("SysRevokeSubject", {"session": 9, "sub": 7, "not_before": asked.now + 1})
    assert asked.core.passes.read(made["url"].removeprefix(f"{LINKS}/"), "link") is None


async def test_no_pass_is_a_token_and_no_token_a_pass(asked):
    made, found = await link_of(asked)
    text = made["url"].removeprefix(f"{LINKS}/")
    passes, verifier = asked.core.passes, asked.core.verifier
    assert passes.read(text, "visit") is None
    assert passes.read(passes.sign(found), "link") == found
    with pytest.raises(KycError):
        verifier.verify(text)
    token = jwt.encode(
        {"sub": "7", "session": 9, "brands": ["acme"], "exp": asked.now + 60}, "s" * 40, algorithm="HS256"
    )
    assert verifier.verify(token).sub == 7
    assert passes.read(token, "link") is None
    assert passes.read(token, "visit") is None


@pytest.mark.parametrize("change", [lambda t: t[:-2] + ("AA" if t[-2:] != "AA" else "BB"), lambda _: "", lambda t: t * 20, lambda _: "é.é.é", lambda t: t.replace(".", "")])  # fmt: skip
async def test_a_link_that_was_tampered_with_is_none(asked, change):
    made, _ = await link_of(asked)
    assert asked.core.passes.read(change(made["url"].removeprefix(f"{LINKS}/")), "link") is None


async def test_another_key_signs_no_pass(asked):
    made = Pass(kind="link", pass_id=new_id(), customer_id=7, brand="acme", issued=asked.now, expires=asked.now + 60)
    import msgspec

    for key, algorithm in (("o" * 40, "HS256"), ("", "none")):
        text = jwt.api_jws.PyJWS().encode(msgspec.json.encode(made), key, algorithm=algorithm)
        assert asked.core.passes.read(text, "link") is None


async def test_a_link_begins_with_the_address_of_the_settings(open_daemon):
    daemon = await open_daemon(portal={"address": "https://kyc.example.com/"})
    await daemon.step()
    made = await daemon.manager().call("MngMakeKycPortalLink", {"id": 1})
    assert made["url"].startswith("https://kyc.example.com/portal/link/ey")


async def test_a_visit_ends_before_its_time(asked):
    _, found = await link_of(asked)
    assert await asked.local("SysEndPortalVisit", ending(found)) == {"accepted": True}
    assert not asked.core.passes.holds(found)
    assert (await asked.audit())[-1].action == "portal.signed_out"


async def test_what_was_not_handed_in_can_be_taken_back(asked):
    step_id = await asked.step("papers", step_type=2)
    customer = asked.customer()
    added = {"kyc_id": 1, "step_id": step_id}
    first = (await customer.call("CustomerAddKycDocument", {**added, "file_id": await asked.upload()}))["document"]
    second = (await customer.call("CustomerAddKycDocument", {**added, "file_id": await asked.upload()}))["document"]
    assert await customer.call("CustomerRemoveKycDocument", {"id": first["id"]}) == {"accepted": True}
    assert [row["id"] for row in (await customer.call("CustomerGetKycDocuments"))["rows"]] == [second["id"]]
    assert (await customer.refused("CustomerRemoveKycDocument", {"id": first["id"]}))[0] == 404
    assert (await asked.customer(8).refused("CustomerRemoveKycDocument", {"id": second["id"]}))[0] == 403
    await customer.call("CustomerSubmitKycStep", {"id": step_id})
    status, name, message = await customer.refused("CustomerRemoveKycDocument", {"id": second["id"]})
    assert (status, name) == (409, "INVALID_STATE")
    assert "not handed in" in message
