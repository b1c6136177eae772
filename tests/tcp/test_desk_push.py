"""Claims and notes are pushed to reviewers, never to the customer they are about, live or from the base."""

from kycmanager.domain.enums import SessionType


async def desk_work(client, kyc_id):
    await client.good("MngSetKycRisk", {"customer_id": 42, "brand": "acme", "risk_level": 4})
    await client.good("MngNextKycCase")
    await client.good("MngAddKycNote", {"kyc_id": kyc_id, "text": "their brother called"})
    await client.good("MngReleaseKycCase", {"kyc_id": kyc_id})
    await client.good("MngSetKycRisk", {"customer_id": 42, "brand": "acme", "risk_level": 1})


async def kinds(listener, count):
    return [(await listener.push())["data"]["kind"] for _ in range(count)]


WORK = ["profile.updated", "case.claimed", "note.added", "case.released", "profile.updated"]


async def test_reviewers_are_told_of_claims_and_notes(daemon, client):
    kyc_id, _ = await daemon.profile(client)
    listener = await daemon.connect()
    await listener.good("Subscribe", {"chanels": ["kyc:acme"]})
    await desk_work(client, kyc_id)
    pushes = [await listener.push() for _ in WORK]
    assert [each["data"]["kind"] for each in pushes] == WORK
    assert [each["type"] for each in pushes] == [1, 1, 0, 1, 1]
    claimed, note, released = (each["data"]["record"] for each in pushes[1:4])
    assert (claimed["kyc_id"], claimed["assignee"], claimed["assignee_session"]) == (kyc_id, 7, 1)
    assert claimed["lease_until"] > claimed["claimed_time"]
    assert note["text"] == "their brother called"
    assert (released["kyc_id"], released["assignee"], released["lease_until"]) == (kyc_id, 0, 0)
    late = await daemon.connect()
    await late.good("Subscribe", {"chanels": ["kyc"], "after_seq": pushes[0]["data"]["seq"] - 1})
    assert [await late.push() for _ in WORK] == pushes


async def test_the_customer_is_told_of_neither(daemon, client):
    kyc_id, _ = await daemon.profile(client)
    token = daemon.token(SessionType.CUSTOMER, 42, ["acme"])
    live = await daemon.connect(token)
    await live.good("Subscribe", {"chanels": ["kyc:acme:42"]})
    await desk_work(client, kyc_id)
    late = await daemon.connect(token)
    await late.good("Subscribe", {"chanels": ["kyc:acme:42"], "after_seq": 0})
    assert await kinds(live, 2) == ["profile.updated"] * 2
    assert await live.silent()
    assert set(await kinds(late, 4)) == {"step.required", "profile.updated"}
    assert await late.silent()
