"""The overlay against a naive model: what commands of a batch see, undo, publishing, and loading it all again."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kycmanager.batches import Snapshot
from kycmanager.domain.enums import (
    DocumentStatus,
    ProfileStatus,
    RiskLevel,
    StepStatus,
    StepType,
    TemplateStatus,
)
from kycmanager.domain.records import (
    AuditRow,
    Document,
    IdempotencyRecord,
    Profile,
    Revocation,
    Step,
    Template,
    TemplateText,
)
from kycmanager.ports import ListQuery
from kycmanager.store.cache import Cache
from kycmanager.store.overlay import Overlay

NOW = 1000
BRANDS, CODES, FILES, SCOPES = ("acme", "beta"), ("one", "two", "three"), ("f1", "f2"), ("k1", "k2")
IDS = range(1, 25)


def template(id_, brand, code, status, sort):
    return Template(
        id=id_, brand=brand, level=1, code=code, name="", description="", step_type=StepType.MANUAL, required=1,
        status=TemplateStatus(status), sort_index=sort, requirements={"sort": sort}, form_schema={}, created_time=NOW,
        updated_time=NOW, version=1,
    )  # fmt: skip


def profile(id_, customer, brand, status):
    return Profile(
        id=id_, customer_id=customer, brand=brand, status=ProfileStatus(status), current_level=0, required_level=0,
        risk_level=RiskLevel.UNKNOWN, created_time=NOW, updated_time=NOW, version=1,
    )  # fmt: skip


def step(id_, owner, made_from, status, expire):
    return Step(
        id=id_, customer_id=owner.customer_id, kyc_id=owner.id, brand=owner.brand, template_id=made_from.id,
        template_version=made_from.version, level=1, code=made_from.code, name="", step_type=StepType.MANUAL,
        required=1, explicit=0, status=StepStatus(status), answers={}, submitted_time=0, created_time=NOW,
        updated_time=NOW, reviewed_time=0, reviewed_by=0, reason="", comment="", expire_time=expire, version=1,
    )  # fmt: skip


def document(id_, owner, file_id, status, expire):
    return Document(
        id=id_, customer_id=owner.customer_id, kyc_id=owner.id, step_id=0, brand=owner.brand, type="",
        status=DocumentStatus(status), file_id=file_id, file_name="", content_type="", file_size=0, checksum="",
        created_time=NOW, updated_time=NOW, reviewed_time=0, reviewed_by=0, reason="", comment="", expire_time=expire,
        version=1,
    )  # fmt: skip


class Model:
    """The same answers from plain dicts."""

    def __init__(self):
        self.templates, self.texts, self.profiles, self.steps, self.documents = {}, {}, {}, {}, {}
        self.keys, self.last = {}, dict.fromkeys(("template", "profile", "step", "document"), 0)

    def copy(self):
        other = Model()
        for name, table in vars(self).items():
            setattr(other, name, dict(table))
        return other

    def view(self):
        templates, steps, documents = self.templates.values(), self.steps.values(), self.documents.values()
        return {
            "template": [self.templates.get(i) for i in IDS],
            "code": [next((t for t in templates if (t.brand, t.code) == (b, c)), None) for b in BRANDS for c in CODES],
            "active": [
                sorted((t for t in templates if t.brand == b and t.status == 0), key=lambda t: (t.sort_index, t.id))
                for b in BRANDS
            ],
            "in_use": [any(s.template_id == i for s in steps) for i in self.templates],
            "texts": [self.texts[t.id, t.version] for t in templates],
            "profile": [self.profiles.get(i) for i in IDS],
            "profile_of": [
                next((p for p in self.profiles.values() if (p.customer_id, p.brand) == (c, b)), None)
                for c in range(1, 4) for b in BRANDS
            ],
            "step": [self.steps.get(i) for i in IDS],
            "steps_of": [[s for s in steps if s.kyc_id == i] for i in IDS],
            "document": [self.documents.get(i) for i in IDS],
            "documents_of": [[d for d in documents if d.kyc_id == i] for i in IDS],
            "file": [next((d.customer_id for d in documents if d.file_id == f), None) for f in FILES],
            "keys": [self.keys.get(scope) for scope in SCOPES],
        }  # fmt: skip


def view(records, model):
    keys = records.idempotency
    files = [records.document_with_file(f) for f in FILES]
    return {
        "template": [records.template(i) for i in IDS],
        "code": [records.template_by_code(b, c) for b in BRANDS for c in CODES],
        "active": [list(records.active_templates(b)) for b in BRANDS],
        "in_use": [records.template_in_use(i) for i in model.templates],
        "texts": [records.template_text(t.id, t.version) for t in model.templates.values()],
        "profile": [records.profile(i) for i in IDS],
        "profile_of": [records.profile_of(c, b) for c in range(1, 4) for b in BRANDS],
        "step": [records.step(i) for i in IDS],
        "steps_of": [list(records.steps_of(i)) for i in IDS],
        "document": [records.document(i) for i in IDS],
        "documents_of": [list(records.documents_of(i)) for i in IDS],
        "file": [found and found.customer_id for found in files],
        "keys": [keys.get(scope) if isinstance(keys, dict) else keys(scope) for scope in SCOPES],
    }


def act(overlay, model, kind, a, b, c):
    """Do one thing to both, as far as the rules of the commands allow it."""
    if kind == "template":
        held = model.templates.get(a)
        brand, code = BRANDS[b % 2], CODES[c % 3]
        if any((t.brand, t.code) == (brand, code) for t in model.templates.values() if t.id != a):
            return
        made = template(0, brand, code, b % 3, c)
        if held is None:
            made = replace(made, id=overlay.next_id("template"))
        else:
            made = replace(made, id=a, version=held.version + 1)
        overlay.put_template(made)
        model.templates[made.id] = made
        model.texts[made.id, made.version] = TemplateText(made.id, made.version, made.requirements, {})
    elif kind == "remove" and a in model.templates and not any(s.template_id == a for s in model.steps.values()):
        overlay.remove_template(a)
        del model.templates[a]
    elif kind == "profile":
        customer, brand = 1 + a % 3, BRANDS[b % 2]
        held = next((p for p in model.profiles.values() if (p.customer_id, p.brand) == (customer, brand)), None)
        made = (
            replace(held, status=ProfileStatus(c)) if held else profile(overlay.next_id("profile"), customer, brand, c)
        )
        overlay.put_profile(made)
        model.profiles[made.id] = made
    elif kind == "step" and model.profiles and model.templates:
        owner = list(model.profiles.values())[a % len(model.profiles)]
        source = list(model.templates.values())[b % len(model.templates)]
        held = next((s for s in model.steps.values() if s.kyc_id == owner.id and s.template_id == source.id), None)
        made = replace(held, status=StepStatus(c % 6), expire_time=a * 100) if held and c else None
        made = made or step(overlay.next_id("step"), owner, source, c % 6, a * 100)
        overlay.put_step(made)
        model.steps[made.id] = made
    elif kind == "document" and model.profiles:
        owner = list(model.profiles.values())[a % len(model.profiles)]
        held = next((d for d in model.documents.values() if d.kyc_id == owner.id), None)
        others = {d.customer_id for d in model.documents.values() if d.file_id == FILES[b % 2]}
        if held and c:
            made = replace(held, status=DocumentStatus(c % 6), expire_time=b * 100)
        elif others <= {owner.customer_id}:
            made = document(overlay.next_id("document"), owner, FILES[b % 2], c % 6, b * 100)
        else:
            return
        overlay.put_document(made)
        model.documents[made.id] = made
    elif kind == "key":
        kept = IdempotencyRecord(scope=SCOPES[a % 2], digest=b"", record_id=b, record_version=c, time=NOW)
        overlay.remember(kept)
        model.keys[kept.scope] = kept


KINDS = ("template", "remove", "profile", "step", "document", "key", "revoke")
OPS = st.tuples(st.sampled_from(KINDS), st.integers(1, 6), st.integers(0, 5), st.integers(0, 5))
COMMANDS = st.tuples(st.lists(OPS, min_size=1, max_size=4), st.booleans())
BATCHES = st.lists(st.lists(COMMANDS, min_size=1, max_size=6), min_size=1, max_size=4)


def fresh_overlay(cache):
    return Overlay(cache, now=NOW, idempotency_seconds=60, keys_max=1000)


def run(overlay, model, ops):
    for kind, a, b, c in ops:
        act(overlay, model, kind, a, b, c)
        if kind == "revoke":
            overlay.revoke(Revocation(jti="j", session=1, sub=1, not_before=0, expires=0))
        overlay.tell(
            AuditRow(
                id=overlay.next_id("audit"), time=NOW, brand="", customer_id=0, kyc_id=0, step_id=0, document_id=0,
                template_id=0, action=kind, actor_id=0, actor_session=0, source="", reason="", comment="",
                old_status=0, new_status=0, details={},
            )
        )  # fmt: skip
        if model.profiles:
            overlay.emit(kind, next(iter(model.profiles.values())), brand="", customer_id=0, kyc_id=0)


def trace(overlay):
    """Everything a refused command must not leave behind."""
    batch = overlay.batch()
    tables = (batch.templates, batch.profiles, batch.steps, batch.documents)
    return (
        [({r.id: r for r in table.inserted}, {r.id: r for r in table.updated}) for table in tables],
        sorted((t.template_id, t.version) for t in batch.template_texts), sorted(batch.removed_templates),
        list(batch.audit), list(batch.events), list(batch.idempotency), list(batch.revocations),
        batch.counters["audit"], batch.counters["event"], overlay.changed, overlay.touched_profiles(),
    )  # fmt: skip


def empty_cache():
    cache = Cache()
    cache.counters = dict.fromkeys(("template", "profile", "step", "document", "audit", "event"), 1)
    return cache


@settings(max_examples=200, deadline=None)
@given(batches=BATCHES)
def test_an_overlay_is_the_model_and_so_is_the_cache_after_it(batches):
    cache, model, audit, events = empty_cache(), Model(), 0, 0
    for commands in batches:
        overlay, before = fresh_overlay(cache), view(cache, model)
        committed = model.copy()
        for ops, refused in commands:
            overlay.begin()
            held, known = trace(overlay), model.copy()
            run(overlay, model, ops)
            if refused:
                overlay.undo()
                model = known
                assert trace(overlay) == held
            assert view(overlay, model) == model.view()
        assert view(cache, committed) == before
        batch = overlay.batch()
        assert [row.id for row in batch.audit] == list(range(audit + 1, audit + 1 + len(batch.audit)))
        assert [event.seq for event in batch.events] == list(range(events + 1, events + 1 + len(batch.events)))
        audit, events = audit + len(batch.audit), events + len(batch.events)
        overlay.publish()
        assert view(cache, model) == model.view()
        assert set(cache.texts) >= {(t.id, t.version) for t in model.templates.values()}
        same_as_loaded(cache, model)


def same_as_loaded(cache, model):
    loaded = Cache()
    loaded.load(
        Snapshot(
            templates=model.templates.values(),
            template_texts=[cache.texts[key] for key in cache.texts],
            profiles=model.profiles.values(),
            steps=model.steps.values(),
            documents=model.documents.values(),
            idempotency=model.keys.values(),
            revocations=[],
            counters=cache.counters,
        )
    )
    assert view(loaded, model) == model.view()
    assert loaded.counters == cache.counters
    assert sorted(loaded.due(NOW, 1000)) == sorted(cache.due(NOW, 1000)) == due(model)
    assert list(loaded.attached_files()) == list(cache.attached_files())
    for ask in ("list_profiles", "list_documents", "list_templates"):
        for query in (ListQuery(brands=None, filters={}), ListQuery(brands=frozenset({"acme"}), filters={"status": 1})):
            assert getattr(loaded, ask)(query) == getattr(cache, ask)(query)
    assert loaded._template_index._sets == cache._template_index._sets
    assert loaded._profile_index._sets == cache._profile_index._sets
    assert loaded._document_index._sets == cache._document_index._sets
    assert loaded._codes == cache._codes


def due(model):
    steps = [("step", s.id) for s in model.steps.values() if s.status == 2 and 0 < s.expire_time <= NOW]
    return sorted(
        steps + [("document", d.id) for d in model.documents.values() if d.status == 2 and 0 < d.expire_time <= NOW]
    )


def test_a_profile_with_many_documents_is_loaded_and_changed_in_one_go_each():
    many, owner = 20_000, profile(1, 1, "acme", 1)
    made = [document(number, owner, f"f{number}", 0, 0) for number in range(1, many + 1)]
    cache, began = Cache(), time.perf_counter()
    nothing = {name: [] for name in ("templates", "template_texts", "steps", "idempotency", "revocations")}
    counters = dict.fromkeys(("template", "profile", "step", "document", "audit", "event"), many + 1)
    cache.load(Snapshot(profiles=[owner], documents=made, counters=counters, **nothing))
    assert cache.documents_of(1) == tuple(made)
    overlay = fresh_overlay(cache)
    for each in made:
        overlay.put_document(replace(each, status=DocumentStatus.PENDING))
    overlay.put_document(document(many + 1, owner, "f", 0, 0))
    assert [each.status for each in overlay.documents_of(1)] == [1] * many + [0]
    assert overlay.touched_profiles() == {1}
    assert cache.documents_of(1) == tuple(made)
    seen = overlay.documents_of(1)
    overlay.publish()
    assert cache.documents_of(1) == seen
    assert time.perf_counter() - began < 8  # one after another, each with a copy of all, they take many times that


def test_codes_swapped_in_one_batch():
    cache, model = empty_cache(), Model()
    for steps in ((("template", 0, 0, 0), ("template", 0, 0, 1)),
                  (("template", 1, 0, 2), ("template", 2, 0, 0), ("template", 1, 0, 1))):  # fmt: skip
        overlay = fresh_overlay(cache)
        for operation in steps:
            run(overlay, model, [operation])
            assert view(overlay, model) == model.view()
        overlay.publish()
        assert view(cache, model) == model.view()
    assert {template.id: template.code for template in model.templates.values()} == {1: "two", 2: "one"}
    same_as_loaded(cache, model)
