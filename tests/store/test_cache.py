"""The cache: what is due, what files are attached, which keys are forgotten."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.batches import Snapshot
from kycmanager.domain.enums import DocumentStatus, StepStatus
from kycmanager.domain.records import IdempotencyRecord, TemplateText
from kycmanager.ports import ListQuery
from kycmanager.store import cache as module
from kycmanager.store.cache import Cache


def step(id_, status=2, expire=0, **more):
    return SimpleNamespace(
        id=id_, kyc_id=1, template_id=1, template_version=1, status=StepStatus(status), expire_time=expire, answers={},
        **more,
    )  # fmt: skip


def document(id_, status=2, expire=0):
    return SimpleNamespace(
        id=id_,
        kyc_id=1,
        file_id=f"f{id_}",
        brand="acme",
        type="",
        status=DocumentStatus(status),
        expire_time=expire,
        checksum="",
        file_name="",
    )


@settings(max_examples=150, deadline=None)
@given(
    puts=st.lists(
        st.tuples(st.sampled_from(("step", "document")), st.integers(1, 5), st.integers(0, 5), st.integers(0, 6)), max_size=30
    ),
    now=st.integers(0, 7),
    limit=st.integers(1, 10),
)  # fmt: skip
def test_what_is_due(puts, now, limit):
    cache, model = Cache(), {}
    for kind, id_, status, expire in puts:
        made = model[kind, id_] = (step if kind == "step" else document)(id_, status, expire)
        if kind == "step":
            cache.put_steps({id_: made}, {made.kyc_id: (made,)})
        else:
            cache.put_documents([made])
    due = [key for key, found in model.items() if found.status == 2 and 0 < found.expire_time <= now]
    times = [model[key].expire_time for key in cache.due(now, limit)]
    assert times == sorted(model[key].expire_time for key in due)[:limit]
    assert sorted(cache.due(now, 100)) == sorted(due)
    assert sorted(cache.due(now, 100)) == sorted(due)


def test_a_loaded_cache_is_one_that_was_filled():
    profiles = [SimpleNamespace(id=1, brand="acme", customer_id=7, status=0, required_level=1, current_level=0,
                                risk_level=0, updated_time=5)]  # fmt: skip
    steps = [step(1), step(2, expire=9), step(3, status=3, expire=9)]
    steps[1].kyc_id = 2
    documents = [document(4, expire=8), document(5, status=0, expire=8), document(6)]
    documents[1].kyc_id = 2
    nothing = {"templates": [], "template_texts": [], "idempotency": [], "revocations": []}
    cache = Cache()
    cache.load(
        Snapshot(profiles=profiles, steps=iter(steps), documents=iter(documents), counters={"step": 4}, **nothing)
    )
    assert cache.profile_of(7, "acme") is profiles[0]
    assert (cache.steps_of(1), cache.steps_of(2)) == ((steps[0], steps[2]), (steps[1],))
    assert (cache.documents_of(1), cache.documents_of(2)) == ((documents[0], documents[2]), (documents[1],))
    assert cache.document_with_file("f6") is documents[2]
    assert cache.template_in_use(1)
    assert cache.due(9, 9) == [("document", 4), ("step", 2)]
    assert cache.list_documents(ListQuery(brands=None, filters={"status": DocumentStatus.APPROVED})).count == 2
    assert cache.counters == {"step": 4}


def test_the_files_that_documents_and_answers_hold():
    cache = Cache()
    uuids = [f"5d1f3a52-0000-4000-8000-00000000000{number}" for number in range(3)]
    schema = {"sections": [{"fields": [{"name": "a", "type": "file_reference"}, {"name": "b", "type": "text"}]}]}
    cache.put_text(TemplateText(1, 1, {}, schema))
    cache.put_text(TemplateText(2, 1, {}, {"sections": [{"fields": [{"name": "a", "type": "text"}]}]}))
    for number, (made_from, answers) in enumerate(
        [(1, {"a": uuids[0], "b": uuids[1]}), (1, {"a": uuids[0]}), (1, {}), (2, {"a": uuids[2]}), (1, {"a": "x"})], 1
    ):
        found = step(number)
        found.template_id, found.answers = made_from, answers
        cache.put_steps({found.id: found}, {found.kyc_id: (found,)})
    cache.put_documents([document(1)])
    assert list(cache.attached_files()) == ["f1", uuids[0], uuids[0]]


def key(scope, time):
    return IdempotencyRecord(scope=scope, digest=b"", record_id=0, record_version=0, time=time)


def test_keys_are_forgotten_in_the_order_of_their_use():
    cache = Cache()
    for scope, time in (("a", 1), ("b", 2), ("c", 3), ("a", 4)):
        cache.put_key(key(scope, time))
    for before, left in ((2, ["b", "c", "a"]), (3, ["c", "a"]), (4, ["a"]), (5, [])):
        cache.forget_keys(before)
        assert list(cache.idempotency) == left


def test_forgetting_takes_its_time(monkeypatch):
    cache = Cache()
    for number in range(25):
        cache.put_key(key(str(number), 1))
    monkeypatch.setattr(module, "KEYS_FORGOTTEN_AT_ONCE", 10)
    for left in (15, 5, 0, 0):
        cache.forget_keys(2)
        assert len(cache.idempotency) == left


@pytest.mark.parametrize("look_up", ["template", "profile", "step", "document", "document_with_file"])
def test_an_empty_cache_knows_nothing(look_up):
    assert getattr(Cache(), look_up)(1) is None
    assert Cache().template_by_code("acme", "x") is None
    assert Cache().profile_of(1, "acme") is None
    assert not Cache().active_templates("acme")
    assert not Cache().steps_of(1)
    assert not Cache().documents_of(1)
    assert not Cache().profiles_of_customer(1)
    assert not Cache().template_in_use(1)
    assert not Cache().due(10, 10)
