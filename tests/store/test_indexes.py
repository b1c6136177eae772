"""Lists against a naive model: random records and changes, every filter, order, page and walk."""

from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.domain.enums import DocumentStatus, ProfileStatus, RiskLevel, StepType, TemplateStatus
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import Document, Profile, Template
from kycmanager.ports import ListQuery
from kycmanager.store.cache import Cache
from kycmanager.store.indexes import COUNT_MAX, Index

BRANDS = ("acme", "beta", "gamma")
TIMES = st.sampled_from((0, 1, 255, 256, 257, 511, 512, 5000, 5001, 100_000))


def profile(id_, customer, brand, status, level, time):
    return Profile(
        id=id_, customer_id=customer, brand=brand, status=ProfileStatus(status), current_level=level % 2,
        required_level=level, risk_level=RiskLevel(level % 2), created_time=0, updated_time=time, version=1,
    )  # fmt: skip


def document(id_, customer, kind, status):
    return Document(
        id=id_, customer_id=customer, kyc_id=customer, step_id=customer * 10 + id_ % 2, brand=BRANDS[customer % 3],
        type=kind, status=DocumentStatus(status), file_id="f", file_name="", content_type="", file_size=0,
        checksum="", created_time=0, updated_time=0, reviewed_time=0, reviewed_by=0, reason="", comment="",
        expire_time=0, version=1,
    )  # fmt: skip


def template(id_, brand, level, status):
    return Template(
        id=id_, brand=brand, level=level, code=f"c{id_}", name="", description="", step_type=StepType(level % 2),
        required=1, status=TemplateStatus(status), sort_index=0, requirements={}, form_schema={}, created_time=0,
        updated_time=0, version=1,
    )  # fmt: skip


CHANGES = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from(BRANDS), st.integers(0, 2), st.integers(0, 3), TIMES), max_size=40
)
QUERIES = st.builds(
    ListQuery,
    brands=st.none() | st.frozensets(st.sampled_from((*BRANDS, "other"))),
    filters=st.dictionaries(
        st.sampled_from(("status", "required_level", "current_level", "risk_level", "customer_id")), st.integers(0, 3)
    ),
    updated_from=st.just(0) | TIMES,
    updated_to=st.just(0) | TIMES,
    order=st.sampled_from(("id", "-id", "updated_time", "-updated_time")),
    limit=st.integers(1, 5),
    offset=st.integers(0, 6),
)


def fits(query, record):
    return (
        (query.brands is None or record.brand in query.brands)
        and query.updated_from <= record.updated_time <= (query.updated_to or 2**62)
        and all(getattr(record, name) == value for name, value in query.filters.items())
    )


def expected(query, records):
    by_time = query.order.endswith("updated_time")
    found = [record for record in records if fits(query, record)]
    return sorted(
        found,
        key=lambda record: (record.updated_time, record.id) if by_time else (record.id,),
        reverse=query.order.startswith("-"),
    )


def check(ask, query, records):
    wanted = expected(query, records)
    page = ask(query)
    assert (list(page.rows), page.count, page.capped) == (
        wanted[query.offset : query.offset + query.limit], len(wanted), False,
    )  # fmt: skip
    walked, after = [], None
    while len(walked) <= len(wanted):
        page = ask(msgspec.structs.replace(query, after=after, offset=query.offset if after else 0))
        walked += page.rows
        after = page.next
        if after is None:
            break
        assert len(page.rows) == query.limit
    assert walked == wanted


@settings(max_examples=150, deadline=None)
@given(changes=CHANGES, queries=st.lists(QUERIES, min_size=1, max_size=6))
def test_profiles(changes, queries):
    cache, model = Cache(), {}
    for id_, brand, status, level, time in changes:
        brand_ = model[id_].brand if id_ in model else brand
        model[id_] = profile(id_, id_ % 4 if id_ < 4 else id_, brand_, status, level, time)
        cache.put_profiles({id_: model[id_]})
    for query in queries:
        check(cache.list_profiles, query, model.values())


@settings(max_examples=100, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 3), st.sampled_from("ab"), st.integers(0, 5)), max_size=30),
    query=st.builds(
        ListQuery,
        brands=st.none() | st.frozensets(st.sampled_from(BRANDS)),
        filters=st.fixed_dictionaries(
            {},
            optional={
                "customer_id": st.integers(1, 4), "kyc_id": st.integers(1, 4), "step_id": st.integers(9, 31),
                "status": st.integers(0, 5), "type": st.sampled_from("abc"),
            },
        ),
        limit=st.integers(1, 5),
        offset=st.integers(0, 6),
    ),
)  # fmt: skip
def test_documents(changes, query):
    cache, model = Cache(), {}
    for customer in range(1, 4):
        cache.put_profiles({customer: profile(customer, customer, BRANDS[customer % 3], 0, 0, 0)})
    cache.steps = {step_id: SimpleNamespace(kyc_id=step_id // 10) for step_id in (10, 11, 20, 21, 30, 31)}
    for id_, customer, kind, status in changes:
        customer_ = model[id_].customer_id if id_ in model else customer
        model[id_] = document(id_, customer_, kind, status)
        cache.put_documents([model[id_]])
    check(cache.list_documents, query, model.values())


@settings(max_examples=100, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(1, 8), st.sampled_from(BRANDS), st.integers(1, 3), st.integers(-1, 2)), max_size=30
    ),
    query=st.builds(
        ListQuery,
        brands=st.none() | st.frozensets(st.sampled_from(BRANDS)),
        filters=st.fixed_dictionaries(
            {},
            optional={
                "level": st.integers(1, 3), "code": st.sampled_from(("c1", "c9")), "status": st.integers(0, 2),
                "step_type": st.integers(0, 1),
            },
        ),
        limit=st.integers(1, 5),
        offset=st.integers(0, 6),
    ),
)  # fmt: skip
def test_templates_that_come_go_and_change_their_brand(changes, query):
    cache, model = Cache(), {}
    for id_, brand, level, status in changes:
        if status < 0:
            if model.pop(id_, None):
                cache.remove_template(id_)
            continue
        model[id_] = template(id_, brand, level, status)
        cache.put_template(model[id_])
    check(cache.list_templates, query, model.values())
    for brand in BRANDS:
        active = [each for each in model.values() if each.brand == brand and each.status == 0]
        assert list(cache.active_templates(brand)) == sorted(active, key=lambda each: each.id)


@given(changes=CHANGES, queries=st.lists(QUERIES, min_size=1, max_size=6))
def test_many_at_once_are_found_as_if_one_after_another(changes, queries):
    records = {id_: profile(id_, id_, brand, status, level, time) for id_, brand, status, level, time in changes}
    fields = ("status", "required_level", "current_level", "risk_level")
    single, filled, later = Index(fields, timed=True), Index(fields, timed=True), Index(fields, timed=True)
    for record in records.values():
        single.add(record)
    filled.fill(list(records.values()))
    half = len(records) // 2
    later.fill(list(records.values())[half:])
    later.fill(list(records.values())[:half])
    assert single._sets == filled._sets == later._sets
    assert single._times == filled._times == later._times
    for record in records.values():
        filled.remove(record)
    assert not filled._sets


def test_nothing_is_left_when_all_has_gone():
    index = Index(("status",), timed=True)
    records = [profile(id_, id_, BRANDS[id_ % 3], id_ % 3, 0, id_ * 100) for id_ in range(1, 50)]
    for record in records:
        index.add(record)
    for record in records:
        index.remove(record)
    assert not index._sets
    assert not any(index._times.values())


@pytest.mark.parametrize(
    ("brands", "filters", "ranged", "capped"),
    [
        (frozenset({"acme"}), {}, False, False),
        (frozenset({"acme"}), {"status": 0}, False, False),
        (frozenset({"acme"}), {}, True, False),
        (frozenset({"acme"}), {"status": 0}, True, True),
        (frozenset({"acme"}), {"status": 0, "required_level": 0}, False, True),
        (frozenset({"acme", "beta"}), {}, False, True),
        (None, {}, False, True),
    ],
)
def test_counts_beyond_the_bound(brands, filters, ranged, capped):
    index = Index(("status", "required_level"), timed=True)
    records = {id_: profile(id_, id_, "acme", 0, 0, id_) for id_ in range(1, COUNT_MAX + 11)}
    for record in records.values():
        index.add(record)
    page = index.page(ListQuery(brands=brands, filters=filters, updated_to=2**40 if ranged else 0), records.__getitem__)
    assert (page.count, page.capped) == (COUNT_MAX if capped else COUNT_MAX + 10, capped)


@pytest.mark.parametrize("after", ["x", "-1", "0", "1.", ".1", "1.2.3", "1.5", "٣", "1 ", str(2**53), "1e3"])
def test_cursors_that_are_none(after):
    cache = Cache()
    cache.put_profiles({1: profile(1, 1, "acme", 0, 0, 0)})
    for filters in ({}, {"customer_id": 1}):
        for order in ("id", "-id", *(() if after == "1.5" else ("updated_time", "-updated_time"))):
            with pytest.raises(KycError) as caught:
                cache.list_profiles(ListQuery(brands=None, filters=filters, order=order, after=after))
            assert caught.value.code is Code.INVALID_DATA
