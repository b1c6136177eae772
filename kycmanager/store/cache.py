"""The committed records in memory, with the look-ups and lists every read uses."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from pyroaring import BitMap64

from kycmanager.batches import Snapshot
from kycmanager.domain.answers import file_references
from kycmanager.domain.enums import DocumentStatus, ProfileStatus, StepStatus, TemplateStatus
from kycmanager.domain.form_schema import fields
from kycmanager.domain.records import Document, IdempotencyRecord, Profile, Step, Template, TemplateText
from kycmanager.key_ports import Vault
from kycmanager.ports import ListQuery, Page
from kycmanager.store.bulk import by_id, grouped
from kycmanager.store.desk import Desk
from kycmanager.store.handful import few
from kycmanager.store.indexes import EVERY_BRAND, Index
from kycmanager.store.lookup import Lookup
from kycmanager.store.outbound import OutboundTables
from kycmanager.store.statistics import Statistics
from kycmanager.store.users import UserTables
from kycmanager.store.wallets import WalletTables

PROFILE_FIELDS = ("status", "required_level", "current_level", "risk_level")
DOCUMENT_FIELDS = ("status", "type")
LEVEL_MAX = 100
KEYS_FORGOTTEN_AT_ONCE = 10_000
TEMPLATE_FIELDS = ("level", "code", "status", "step_type")


class Cache:
    """Tables and indexes; changed only by `publish`, after a commit. Answers `Records` and `Lists`."""

    def __init__(self, vault: Vault | None = None) -> None:
        self.vault = vault
        """Opens sealed answers; None where nothing is sealed."""
        self.templates: dict[int, Template] = {}
        self.texts: dict[tuple[int, int], TemplateText] = {}
        self.profiles: dict[int, Profile] = {}
        self.steps: dict[int, Step] = {}
        self.documents: dict[int, Document] = {}
        self.idempotency: dict[str, IdempotencyRecord] = {}
        self.counters: dict[str, int] = {}
        self.idempotency_secret = b""
        self.users = UserTables(vault)
        self.wallets = WalletTables(vault)
        self.outbound = OutboundTables()
        self._codes: dict[tuple[str, str], int] = {}
        self._by_brand: dict[str, tuple[Template, ...]] = {}
        self._uses: dict[int, BitMap64] = {}
        """The profiles that have a step of a template, whatever became of it."""
        self._customers: dict[str, dict[int, int]] = {}
        self._steps_of: dict[int, tuple[Step, ...]] = {}
        self._documents_of: dict[int, tuple[Document, ...]] = {}
        self._files: dict[str, int] = {}
        self._due: list[tuple[int, str, int]] = []
        self._template_index = Index(TEMPLATE_FIELDS)
        self._profile_index = Index(PROFILE_FIELDS, timed=True)
        self._document_index = Index(DOCUMENT_FIELDS)
        of_brands = self._profile_index.of_brands
        self.lookup = Lookup(vault, self._customers, self.steps, self.steps_of, lambda: of_brands(None))
        self.desk = Desk(vault, self.profiles, self._steps_of, of_brands, self.profiles_of_customer, self.lookup)
        self.statistics = Statistics(self.desk.waiting, self._steps_of, lambda: self.counters["event"] - 1)

    # -- look-ups

    def template(self, template_id: int) -> Template | None:
        """Return a template, or None."""
        return self.templates.get(template_id)

    def template_by_code(self, brand: str, code: str) -> Template | None:
        """Return the template of a brand with this code, whatever its status, or None."""
        return self.templates.get(self._codes.get((brand, code), 0))

    def active_templates(self, brand: str) -> Sequence[Template]:
        """Return the templates of a brand that may be attached, by sort_index and id."""
        return self._by_brand.get(brand, ())

    def template_text(self, template_id: int, version: int) -> TemplateText:
        """Return what a template asked for in one version; every step's version is kept."""
        return self.texts[template_id, version]

    def template_in_use(self, template_id: int) -> bool:
        """Tell whether a step was ever made from the template."""
        return template_id in self._uses

    def profile(self, kyc_id: int) -> Profile | None:
        """Return a profile, or None."""
        return self.profiles.get(kyc_id)

    def profile_of(self, customer_id: int, brand: str) -> Profile | None:
        """Return the profile of a customer in a brand, or None."""
        return self.profiles.get(self._customers.get(brand, {}).get(customer_id, 0))

    def step(self, step_id: int) -> Step | None:
        """Return a step, or None."""
        return self.steps.get(step_id)

    def steps_of(self, kyc_id: int) -> tuple[Step, ...]:
        """Return all the steps of a profile, ids ascending."""
        return self._steps_of.get(kyc_id, ())

    def answers(self, step: Step) -> dict[str, Any]:
        """Return what was answered, opened where it is sealed."""
        kept = step.answers
        if isinstance(kept, dict):
            return kept
        assert self.vault is not None
        return self.vault.open(step.kyc_id, step.id, kept)

    def document(self, document_id: int) -> Document | None:
        """Return a document, or None."""
        return self.documents.get(document_id)

    def documents_of(self, kyc_id: int) -> tuple[Document, ...]:
        """Return all the documents of a profile, ids ascending."""
        return self._documents_of.get(kyc_id, ())

    def document_with_file(self, file_id: str) -> Document | None:
        """Return the last document this file was attached to, or None."""
        return self.documents.get(self._files.get(file_id, 0))

    # -- lists

    def list_templates(self, query: ListQuery) -> Page:
        """List templates."""
        return self._template_index.page(query, self.templates.__getitem__)

    def list_profiles(self, query: ListQuery) -> Page:
        """List profiles; a customer has one per brand, so that filter needs no index."""
        if "customer_id" in query.filters:
            return few(query, self.profiles_of_customer(query.filters["customer_id"]))
        return self._profile_index.page(query, self.profiles.__getitem__)

    def list_documents(self, query: ListQuery) -> Page:
        """List documents; those of one customer, profile or step are few."""
        filters = query.filters
        if "customer_id" in filters:
            owners: Sequence[int] = [found.id for found in self.profiles_of_customer(filters["customer_id"])]
        elif "kyc_id" in filters:
            owners = [filters["kyc_id"]]
        elif "step_id" in filters:
            step = self.steps.get(filters["step_id"])
            owners = [step.kyc_id] if step else []
        else:
            return self._document_index.page(query, self.documents.__getitem__)
        return few(query, [found for kyc_id in owners for found in self.documents_of(kyc_id)])

    def list_identities(self, query: ListQuery) -> Page:
        """List the identities of wallets."""
        return self.wallets.page(query)

    def profiles_of_customer(self, customer_id: int) -> Sequence[Profile]:
        """Return the profiles of a customer in all brands, ids ascending."""
        ids = [held[customer_id] for held in self._customers.values() if customer_id in held]
        return [self.profiles[kyc_id] for kyc_id in sorted(ids)]

    def due(self, now: int, limit: int) -> Sequence[tuple[str, int]]:
        """Return what has run out, oldest first; it stays due until a commit has expired it."""
        found: list[tuple[int, str, int]] = []
        while self._due and self._due[0][0] <= now and len(found) < limit:
            entry = heapq.heappop(self._due)
            if self._is_due(entry) and entry not in found:
                found.append(entry)
        for entry in found:
            heapq.heappush(self._due, entry)
        return [(kind, record_id) for _, kind, record_id in found]

    def template_impact(self, brand: str, level: int, template_id: int) -> tuple[int, int]:
        """Count the profiles with a step of the template, and those of the brand asked for the level without one."""
        using = self._uses.get(template_id, BitMap64())
        asked = self._profile_index.with_value(brand, "required_level", range(level, LEVEL_MAX + 1))
        return len(using), len(asked - using)

    def _is_due(self, entry: tuple[int, str, int]) -> bool:
        time, kind, record_id = entry
        if kind == "step":
            step = self.steps[record_id]
            return step.status is StepStatus.APPROVED and step.expire_time == time
        document = self.documents[record_id]
        return document.status is DocumentStatus.APPROVED and document.expire_time == time

    def attached_files(self) -> Iterator[str]:
        """Yield the file of every document and of every answer that points to one, as often as it is held."""
        for document in self.documents.values():
            if document.file_id:  # an erased one has none
                yield document.file_id
        asks = {
            key: text.form_schema
            for key, text in self.texts.items()
            if any(field.type == "file_reference" for field in fields(text.form_schema))
        }
        for step in self.steps.values():
            schema = asks.get((step.template_id, step.template_version))
            if schema is not None and step.answers:
                yield from self.answered_files(step)

    def answered_files(self, step: Step) -> Sequence[str]:
        """Return the uuids of the files that answers name; sealed ones are not opened."""
        kept = step.answers
        if isinstance(kept, dict):
            return file_references(self.template_text(step.template_id, step.template_version).form_schema, kept)
        assert self.vault is not None
        return self.vault.files(kept)

    def in_clear(self) -> dict[str, list[int]]:
        """Return the ids of the records that hold something in clear, as `SysSealRecords` takes them."""
        return {
            "steps": [step.id for step in self.steps.values() if step.answers and isinstance(step.answers, dict)],
            "notes": self.desk.notes_in_clear(),
            "users": self.users.in_clear(),
        }

    # -- changes, after a commit only

    def load(self, snapshot: Snapshot) -> None:
        """Fill an empty cache."""
        for text in snapshot.template_texts:
            self.put_text(text)
        self.templates.update(by_id(snapshot.templates))
        self._template_index.fill(list(self.templates.values()))
        self._codes = {(template.brand, template.code): template.id for template in self.templates.values()}
        self._sort_brands({template.brand for template in self.templates.values()})
        self.profiles.update(by_id(snapshot.profiles))
        self._profile_index.fill(list(self.profiles.values()))
        for profile in self.profiles.values():
            self._customers.setdefault(profile.brand, {})[profile.customer_id] = profile.id
        self.steps.update(by_id(snapshot.steps))
        self._steps_of.update(grouped(self.steps.values()))
        used: defaultdict[int, list[int]] = defaultdict(list)
        waiting = set(self._profile_index.with_value(EVERY_BRAND, "status", [ProfileStatus.REVIEW_REQUIRED]))
        for step in self.steps.values():
            used[step.template_id].append(step.kyc_id)
            if step.status is StepStatus.PENDING:
                waiting.add(step.kyc_id)
            if step.expire_time:
                self._note_step(step)
        self._uses = {template_id: BitMap64(ids) for template_id, ids in used.items()}
        self._load_documents(snapshot.documents)
        self.desk.load(snapshot.claims, snapshot.notes, snapshot.filters)
        self.desk.waiting.load(waiting)
        self.lookup.load(snapshot.lookups, snapshot.lookup_mark)
        for kept in snapshot.idempotency:
            self.put_key(kept)
        self.users.load(snapshot.users, snapshot.logins)
        self.wallets.load(snapshot.wallets)
        self.outbound.load(snapshot.deliveries, snapshot.cursors, snapshot.marks)
        self.counters = dict(snapshot.counters)

    def _load_documents(self, documents: Iterable[Document]) -> None:
        self.documents.update(by_id(documents))
        self._documents_of.update(grouped(self.documents.values()))
        self._document_index.fill(list(self.documents.values()))
        self.desk.finder.add(self.documents.values())
        self._files = {document.file_id: document.id for document in self.documents.values()}
        for document in self.documents.values():
            if document.expire_time:
                self._note_due_document(document)
                self.statistics.expiries.move(None, document)

    def put_key(self, kept: IdempotencyRecord) -> None:
        """Keep an accepted write under its key; a key that is used again goes to the end."""
        self.idempotency.pop(kept.scope, None)
        self.idempotency[kept.scope] = kept

    def forget_keys(self, before: int) -> None:
        """Forget the idempotency keys used before a time; they stand in the order of their use."""
        for scope, kept in list(islice(self.idempotency.items(), KEYS_FORGOTTEN_AT_ONCE)):
            if kept.time >= before:
                break
            del self.idempotency[scope]

    def put_text(self, text: TemplateText) -> None:
        """Keep what a template asks for in one version."""
        self.texts[text.template_id, text.version] = text

    def put_template(self, template: Template) -> None:
        """Keep a template."""
        old = self.templates.get(template.id)
        self.templates[template.id] = template
        if old is None:
            self._template_index.add(template)
        else:
            self._template_index.change(((old, template),))
            self._release_code(old)
        self._codes[template.brand, template.code] = template.id
        self._sort_brands({template.brand} | ({old.brand} if old else set()))

    def remove_template(self, template_id: int) -> None:
        """Let an unused template go, and its texts."""
        template = self.templates.pop(template_id)
        self._template_index.remove(template)
        self._release_code(template)
        for key in [key for key in self.texts if key[0] == template_id]:
            del self.texts[key]
        self._sort_brands({template.brand})

    def _release_code(self, template: Template) -> None:
        # In one batch another template may have taken the code already.
        if self._codes.get((template.brand, template.code)) == template.id:
            del self._codes[template.brand, template.code]

    def _sort_brands(self, brands: Collection[str]) -> None:
        active: dict[str, list[Template]] = {brand: [] for brand in brands}
        for found in self.templates.values():
            if found.brand in active and found.status is TemplateStatus.ACTIVE:
                active[found.brand].append(found)
        for brand, templates in active.items():
            self._by_brand[brand] = tuple(sorted(templates, key=lambda found: (found.sort_index, found.id)))

    def put_profiles(self, profiles: dict[int, Profile]) -> None:
        """Keep profiles by their ids."""
        held = self.profiles
        changes = []
        for kyc_id, profile in profiles.items():
            old = held.get(kyc_id)
            if old is None:
                self._profile_index.add(profile)
                self._customers.setdefault(profile.brand, {})[profile.customer_id] = kyc_id
            else:
                changes.append((old, profile))
        self._profile_index.change(changes)
        held.update(profiles)

    def put_steps(self, steps: dict[int, Step], held: dict[int, tuple[Step, ...]]) -> None:
        """Keep changed steps by id, and all the steps of the profiles they belong to."""
        for step in steps.values():
            if step.id not in self.steps:
                self._uses.setdefault(step.template_id, BitMap64()).add(step.kyc_id)
            self._note_step(step)
        self.steps.update(steps)
        self._steps_of.update(held)

    def _note_step(self, step: Step) -> None:
        if step.expire_time and step.status is StepStatus.APPROVED:
            heapq.heappush(self._due, (step.expire_time, "step", step.id))

    def put_documents(self, documents: Collection[Document]) -> None:
        """Keep documents, those of one profile together: a profile may have hundreds."""
        changed: dict[int, list[Document]] = {}
        for document in documents:
            changed.setdefault(document.kyc_id, []).append(document)
        self._note_documents(documents)
        for kyc_id, its_own in changed.items():
            self._documents_of[kyc_id] = with_documents(self.documents_of(kyc_id), its_own)

    def _note_documents(self, documents: Collection[Document]) -> None:
        changes = []
        for document in documents:
            old = self.documents.get(document.id)
            self.documents[document.id] = document
            if old is None:
                self._document_index.add(document)
                self.desk.finder.add((document,))
                self._files[document.file_id] = document.id
            else:
                changes.append((old, document))
            self.statistics.expiries.move(old, document)
            self._note_due_document(document)
        self._document_index.change(changes)

    def _note_due_document(self, document: Document) -> None:
        if document.expire_time and document.status is DocumentStatus.APPROVED:
            heapq.heappush(self._due, (document.expire_time, "document", document.id))


def with_record(held: tuple[Any, ...], record: Any) -> tuple[Any, ...]:
    """Return the records with one of them replaced by its new value, or with a new one at the end."""
    for place, other in enumerate(held):
        if other.id == record.id:
            return (*held[:place], record, *held[place + 1 :])
    return (*held, record)


def with_documents(held: tuple[Document, ...], documents: Iterable[Document]) -> tuple[Document, ...]:
    """Return the documents with the new values of those that changed, and with the new ones at the end."""
    changed = {document.id: document for document in documents}
    kept = [changed.pop(other.id, other) for other in held]
    return (*kept, *changed.values())
