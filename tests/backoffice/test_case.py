"""The page of a case: claims, who holds it, what a look leaves behind; another brand's case does not exist."""

import pytest

from kycmanager.pages.gateway import Gateway


async def test_a_case_shows_where_the_customer_stands(office, ann):
    kyc_id = await office.case(7, risk=4)
    page = await ann.get(f"/cases/{kyc_id}")
    assert page.status == 200
    for words in ("Customer 7 acme", "Status review required", "Level 0 of 1", "Risk prohibited", "pending",
                  "Nobody works on this case.", "Claim it"):  # fmt: skip
        assert words in page.words
    row = (await office.audit())[-1]
    assert (row.action, row.kyc_id, row.actor_id, row.source) == ("access.view", kyc_id, 1, "backoffice")


@pytest.mark.parametrize("kyc_id", ["99", "0", "x", "1" * 30, "-1", "%31x"])
async def test_what_is_no_case_is_not_found(office, ann, kyc_id):
    answer = await ann.get(f"/cases/{kyc_id}")
    assert answer.status == 404
    assert "Go to the queue" in answer.words


async def test_the_case_of_another_brand_is_answered_like_a_missing_one(office, ann):
    other = await office.case(7, brand="zeta")
    rows = len(await office.audit())
    foreign, missing = await ann.get(f"/cases/{other}"), await ann.get("/cases/99")
    assert (foreign.status, missing.status) == (404, 404)
    assert foreign.words == missing.words
    for action in ("claim", "release", "take-over"):
        assert (await ann.post(f"/cases/{other}/{action}")).status in {403, 404}
    assert len(await office.audit()) == rows


async def test_a_case_is_claimed_kept_and_let_go(office, ann):
    kyc_id = await office.case()
    await ann.get(f"/cases/{kyc_id}")
    for _ in range(2):
        page = await ann.follow(await ann.post(f"/cases/{kyc_id}/claim"))
        assert "You hold this case now." in page.words
    assert "Let it go" in page.words
    page = await ann.follow(await ann.post(f"/cases/{kyc_id}/release"))
    assert "You have let this case go." in page.words
    assert "Nobody works on this case." in page.words


async def test_a_case_that_somebody_holds_is_told_on_the_page(office, visitors, ann):
    kyc_id = await office.case()
    await office.user("bob", role="admin")
    bob = visitors(office)
    await bob.sign_in("bob")
    await bob.get(f"/cases/{kyc_id}")
    await ann.get(f"/cases/{kyc_id}")
    await ann.post(f"/cases/{kyc_id}/claim")
    for action in ("claim", "release"):
        page = await bob.follow(await bob.post(f"/cases/{kyc_id}/{action}"))
        assert "ann was faster and holds this case now." in page.words
    assert "ann holds this case for 10 min more" in page.words
    assert (await ann.post(f"/cases/{kyc_id}/take-over")).status == 403
    page = await bob.follow(await bob.post(f"/cases/{kyc_id}/take-over"))
    assert "You have taken this case over." in page.words
    page = await ann.get(f"/cases/{kyc_id}")
    assert "bob holds this case" in page.words
    assert "Take it over" not in page.words
    assert "bob 10 min left" in (await ann.get("/queue")).words


async def test_a_case_that_waits_for_nothing_cannot_be_claimed(office, ann):
    kyc_id = await office.case()
    (step,) = office.app.core.cache.steps_of(kyc_id)
    await office.rest(f"/manager/kyc/steps/{step.id}/approve", office.token(3, 99, None))
    page = await ann.get(f"/cases/{kyc_id}")
    assert "Nothing of this case waits for a decision." in page.words
    page = await ann.follow(await ann.post(f"/cases/{kyc_id}/claim"))
    assert "This is what holds now." in page.words


async def test_somebody_who_is_no_user_is_called_by_number(office, ann):
    kyc_id = await office.case()
    await office.rest("/manager/kyc/queue/claim", office.token(10, 1, ("acme",)), {"kyc_id": kyc_id})
    assert "crm manager 1 holds this case" in (await ann.get(f"/cases/{kyc_id}")).words


async def test_a_large_case_asks_no_more_than_a_small_one(office, ann, monkeypatch):
    asked = []
    run = Gateway.run

    async def counted(self, session, command, data=None):
        asked.append(command)
        return await run(self, session, command, data)

    monkeypatch.setattr(Gateway, "run", counted)
    await office.case(7)
    await ann.get("/cases/1")
    small, asked = list(asked), []
    for number in range(20):
        await office.template(code=f"step{number}")
    await office.case(8)
    for number in range(20):
        await office.document(f"text {number}".encode(), f"{number}.txt", "", 8)
    page = await ann.get("/cases/2")
    assert page.text.count("<article") == 22
    assert page.text.count("data-document=") == 20
    assert asked == small
