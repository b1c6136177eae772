"""What the commands of one batch have changed so far, over the cache; a refused command leaves no trace."""

from typing import Any

from msgspec.structs import replace

from kycmanager.batches import Batch, TableChange
from kycmanager.desk_ports import LookupChange
from kycmanager.domain.answers import file_references
from kycmanager.domain.enums import TemplateStatus
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import (
    AuditRow,
    Document,
    Event,
    FileFacts,
    FileKey,
    IdempotencyRecord,
    Profile,
    ProfileKey,
    Record,
    Revocation,
    Step,
    Template,
    TemplateText,
)
from kycmanager.store.cache import Cache, with_record
from kycmanager.store.desk import DeskOverlay
from kycmanager.store.lookup import LookupOverlay
from kycmanager.store.outbound import OutboundOverlay
from kycmanager.store.users import UserOverlay
from kycmanager.store.wallets import WalletOverlay

_ABSENT: Any = object()


class Overlay:
    """Answers `Changes`: reads fall through to the cache, writes stay here until the batch is committed."""

    def __init__(
        self, cache: Cache, *, now: int, idempotency_seconds: int, keys_max: int, lease_seconds: int = 600
    ) -> None:
        self.cache = cache
        self.now = now
        self.idempotency_seconds = idempotency_seconds
        self.idempotency_secret = cache.idempotency_secret
        self._keys_max = keys_max
        self.templates: dict[int, Template | None] = {}
        self.texts: dict[tuple[int, int], TemplateText] = {}
        self.profiles: dict[int, Profile] = {}
        self.steps: dict[int, Step] = {}
        self.documents: dict[int, Document] = {}
        self.keys: dict[str, IdempotencyRecord] = {}
        self.audit: list[AuditRow] = []
        self.events: list[Event] = []
        self.revocations: list[Revocation] = []
        self._next = dict(cache.counters)
        self._codes: dict[tuple[str, str], int] = {}
        self._brands: dict[str, bool] = {}
        self._customers: dict[tuple[int, str], int] = {}
        self._steps_of: dict[int, tuple[Step, ...]] = {}
        self._new_documents: dict[int, tuple[int, ...]] = {}
        self._files: dict[str, int] = {}
        self._uses: dict[int, bool] = {}
        self._file_keys: dict[str, FileKey] = {}
        self._seals = cache.vault is not None and cache.vault.sealing
        self._new_keys: list[ProfileKey] = []
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []
        self.users = UserOverlay(cache.users, self._set)
        self._wallets: WalletOverlay | None = None
        self.desk = DeskOverlay(cache.desk, self._set, lease_seconds=lease_seconds, seals=self._seals)
        self._outbound: OutboundOverlay | None = None
        self._lookup: LookupOverlay | None = None
        self._marks = (0, 0, 0)

    @property
    def outbound(self) -> OutboundOverlay:
        """What the batch changes of the deliveries; made when it is first asked for, which is seldom."""
        if self._outbound is None:
            self._outbound = OutboundOverlay(self.cache.outbound, self._set)
        return self._outbound

    @property
    def lookup(self) -> LookupOverlay:
        """What the batch changes of the index of answers; made when it is first asked for."""
        if self._lookup is None:
            self._lookup = LookupOverlay(self.cache.lookup, self._set)
        return self._lookup

    @property
    def wallets(self) -> WalletOverlay:
        """What the batch changes of the customers of wallets; made when it is first asked for."""
        if self._wallets is None:
            self._wallets = WalletOverlay(self.cache.wallets, self._set, seals=self._seals)
        return self._wallets

    # -- one command after another

    def begin(self) -> None:
        """Remember where the next command starts."""
        self._undo.clear()
        self._marks = (len(self.audit), len(self.events), len(self.revocations))

    def undo(self) -> None:
        """Take back what the command since `begin` has changed."""
        for table, key, old in reversed(self._undo):
            if old is _ABSENT:
                del table[key]
            else:
                table[key] = old
        self._undo.clear()
        audit, events, revocations = self._marks
        del self.audit[audit:]
        del self.events[events:]
        del self.revocations[revocations:]

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to commit; every change of a record has its audit row."""
        if self._wallets is not None and self._wallets.changed:
            return True
        if self._lookup is not None and self._lookup.planned:
            return True
        return bool(self.audit) or self.users.changed or (self._outbound is not None and bool(self._outbound.change()))

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        self._undo.append((table, key, table.get(key, _ABSENT)))
        table[key] = value

    # -- reads

    def template(self, template_id: int) -> Template | None:
        """Return a template, or None."""
        if template_id in self.templates:
            return self.templates[template_id]
        return self.cache.templates.get(template_id)

    def template_by_code(self, brand: str, code: str) -> Template | None:
        """Return the template of a brand with this code, whatever its status, or None."""
        if (brand, code) in self._codes:
            return self.template(self._codes[brand, code])
        return self.cache.template_by_code(brand, code)

    def active_templates(self, brand: str) -> tuple[Template, ...]:
        """Return the templates of a brand that may be attached, by sort_index and id."""
        held = tuple(self.cache.active_templates(brand))
        if brand not in self._brands:
            return held
        found = [each for each in held if each.id not in self.templates]
        found += [
            each
            for each in self.templates.values()
            if each is not None and each.brand == brand and each.status is TemplateStatus.ACTIVE
        ]
        return tuple(sorted(found, key=lambda each: (each.sort_index, each.id)))

    def template_text(self, template_id: int, version: int) -> TemplateText:
        """Return what a template asked for in one version."""
        return self.texts.get((template_id, version)) or self.cache.texts[template_id, version]

    def template_in_use(self, template_id: int) -> bool:
        """Tell whether a step was ever made from the template."""
        return template_id in self._uses or self.cache.template_in_use(template_id)

    def profile(self, kyc_id: int) -> Profile | None:
        """Return a profile, or None."""
        return self.profiles.get(kyc_id) or self.cache.profiles.get(kyc_id)

    def profile_of(self, customer_id: int, brand: str) -> Profile | None:
        """Return the profile of a customer in a brand, or None."""
        kyc_id = self._customers.get((customer_id, brand))
        if kyc_id is not None:
            return self.profiles[kyc_id]
        found = self.cache.profile_of(customer_id, brand)
        return found and self.profiles.get(found.id, found)

    def step(self, step_id: int) -> Step | None:
        """Return a step, or None."""
        return self.steps.get(step_id) or self.cache.steps.get(step_id)

    def steps_of(self, kyc_id: int) -> tuple[Step, ...]:
        """Return all the steps of a profile, ids ascending."""
        held = self._steps_of.get(kyc_id)
        return self.cache.steps_of(kyc_id) if held is None else held

    def answers(self, step: Step) -> dict[str, Any]:
        """Return what was answered, opened where it is sealed."""
        return self.cache.answers(step)

    def document(self, document_id: int) -> Document | None:
        """Return a document, or None."""
        return self.documents.get(document_id) or self.cache.documents.get(document_id)

    def documents_of(self, kyc_id: int) -> tuple[Document, ...]:
        """Return all the documents of a profile, ids ascending."""
        held, new = self.cache.documents_of(kyc_id), self._new_documents.get(kyc_id)
        if new is None:
            return held
        # Put together when it is asked for: a step that is handed in changes hundreds one by one.
        documents = self.documents
        return (*[documents.get(each.id, each) for each in held], *[documents[each] for each in new])

    def document_with_file(self, file_id: str) -> Document | None:
        """Return the last document this file was attached to, or None."""
        document_id = self._files.get(file_id)
        return self.cache.document_with_file(file_id) if document_id is None else self.documents[document_id]

    def idempotency(self, scope: str) -> IdempotencyRecord | None:
        """Return the accepted write under a key."""
        return self.keys.get(scope) or self.cache.idempotency.get(scope)

    # -- writes

    def next_id(self, table: str) -> int:
        """Return a fresh id; those of audit rows and events stay gap-free when a command is refused."""
        if table == "audit":
            return self._next["audit"] + len(self.audit)
        fresh = self._next[table]
        self._next[table] = fresh + 1
        return fresh

    def put_template(self, template: Template) -> None:
        """Keep a template and the text of its version."""
        old = self.template(template.id)
        if old is not None and (old.brand, old.code) != (template.brand, template.code):
            self._set(self._codes, (old.brand, old.code), 0)
            self._set(self._brands, old.brand, value=True)
        self._set(self.templates, template.id, template)
        self._set(self._codes, (template.brand, template.code), template.id)
        self._set(self._brands, template.brand, value=True)
        text = TemplateText(template.id, template.version, template.requirements, template.form_schema)
        self._set(self.texts, (template.id, template.version), text)

    def remove_template(self, template_id: int) -> None:
        """Remove an unused template."""
        template = self.template(template_id)
        assert template is not None
        self._set(self.templates, template_id, None)
        self._set(self._codes, (template.brand, template.code), 0)
        self._set(self._brands, template.brand, value=True)

    def put_profile(self, profile: Profile) -> None:
        """Keep a profile."""
        profiles, profile_id = self.profiles, profile.id
        self._undo.append((profiles, profile_id, profiles.get(profile_id, _ABSENT)))
        profiles[profile_id] = profile
        if profile_id not in self.cache.profiles:
            self._set(self._customers, (profile.customer_id, profile.brand), profile.id)

    def put_step(self, step: Step) -> Step:
        """Keep a step, its answers sealed if they are not yet; return it as it is kept."""
        if step.answers and self._seals and type(step.answers) is dict:
            step = self._sealed(step, step.answers)
        # What `_set` does, written out: these two run for nearly every command.
        undo, steps_of, steps, kyc_id, step_id = self._undo, self._steps_of, self.steps, step.kyc_id, step.id
        held = steps_of.get(kyc_id)
        undo.append((steps_of, kyc_id, _ABSENT if held is None else held))
        undo.append((steps, step_id, steps.get(step_id, _ABSENT)))
        if held is None:
            held = self.cache.steps_of(kyc_id)
        if step_id in self.cache.steps:
            steps_of[kyc_id] = tuple([step if each.id == step_id else each for each in held])
        else:
            steps_of[kyc_id] = with_record(held, step)
            self._set(self._uses, step.template_id, value=True)
        steps[step_id] = step
        return step

    def _sealed(self, step: Step, answers: dict[str, Any]) -> Step:
        assert self.cache.vault is not None
        text = self.template_text(step.template_id, step.template_version)
        files = file_references(text.form_schema, answers)
        return replace(step, answers=self.cache.vault.seal(step.kyc_id, step.id, answers, files))

    def put_document(self, document: Document) -> None:
        """Keep a document."""
        kyc_id, new = document.kyc_id, self._new_documents.get(document.kyc_id, ())
        if document.id not in self.documents and document.id not in self.cache.documents:
            self._set(self._new_documents, kyc_id, (*new, document.id))
        elif kyc_id not in self._new_documents:
            self._set(self._new_documents, kyc_id, new)
        self._set(self.documents, document.id, document)
        self._set(self._files, document.file_id, document.id)

    def hold_file(self, file: FileFacts, kyc_id: int) -> None:
        """Have the data key of a sealed file sealed by the profile that holds the file from now on."""
        vault = self.cache.vault
        if file.data_key and vault is not None and file.file_id not in self._file_keys:
            self._set(self._file_keys, file.file_id, vault.hold(file, kyc_id))

    def revoke(self, revocation: Revocation) -> None:
        """Refuse tokens from now on."""
        self.revocations.append(revocation)

    def remember(self, record: IdempotencyRecord) -> None:
        """Keep an accepted write under its key; raises OVERLOADED when there is no room for another key."""
        if len(self.cache.idempotency) + len(self.keys) >= self._keys_max:
            raise KycError(Code.OVERLOADED, "Too many idempotency keys are in use; try again later")
        self._set(self.keys, record.scope, record)

    def tell(self, audit: AuditRow) -> None:
        """Add an audit row; its id came from `next_id`."""
        self.audit.append(audit)

    def emit(self, kind: str, record: Record, *, brand: str, customer_id: int, kyc_id: int) -> None:
        """Append an event."""
        seq = self._next["event"] + len(self.events)
        self.events.append(Event(seq, self.now, brand, customer_id, kyc_id, kind, record))

    # -- the end of the batch

    def batch(self) -> Batch:
        """Return everything the transaction writes."""
        cache = self.cache
        self._new_keys = cache.vault.unsaved() if cache.vault is not None else []
        made_and_removed = {key for key, found in self.templates.items() if found is None}
        users, logins, ended_logins = self.users.changes()
        return Batch(
            templates=_split(
                {key: found for key, found in self.templates.items() if found is not None}, cache.templates
            ),
            template_texts=[text for text in self.texts.values() if text.template_id not in made_and_removed],
            removed_templates=[key for key in made_and_removed if key in cache.templates],
            profiles=_split(self.profiles, cache.profiles),
            steps=_split(self.steps, cache.steps),
            documents=_split(self.documents, cache.documents),
            audit=self.audit,
            events=self.events,
            idempotency=list(self.keys.values()),
            revocations=self.revocations,
            users=users,
            logins=logins,
            ended_logins=ended_logins,
            wallets=self._wallets.change() if self._wallets is not None else None,
            file_keys=list(self._file_keys.values()),
            keys=self._new_keys,
            outbound=None if self._outbound is None else self._outbound.change(),
            lookup=self._looked_up() if self._lookup is not None or cache.lookup.live else None,
            counters=self.counters(),
            **self.desk.changes(),
        )

    def _looked_up(self) -> LookupChange | None:
        return self.lookup.change(self._steps_of, self.steps, self.steps_of)

    def counters(self) -> dict[str, int]:
        """Return the next free numbers after this batch."""
        return {
            **self._next,
            "audit": self._next["audit"] + len(self.audit),
            "event": self._next["event"] + len(self.events),
        }

    def publish(self) -> None:
        """Bring the committed changes into the cache."""
        cache = self.cache
        for text in self.texts.values():
            if self.templates[text.template_id] is not None:
                cache.put_text(text)
        for template_id, template in self.templates.items():
            if template is not None:
                cache.put_template(template)
            elif template_id in cache.templates:
                cache.remove_template(template_id)
        cache.put_profiles(self.profiles)
        cache.put_steps(self.steps, self._steps_of)
        cache.put_documents(self.documents.values())
        cache.desk.waiting.note(self.profiles.keys() | self._steps_of.keys())
        self.desk.publish()
        for kept in self.keys.values():
            cache.put_key(kept)
        self.users.publish()
        self._publish_wallets()
        cache.counters = self.counters()
        if self._new_keys and cache.vault is not None:
            cache.vault.saved(self._new_keys)
        if self._outbound is not None:
            self._outbound.publish()
        if self._lookup is not None:
            self._lookup.publish()

    def _publish_wallets(self) -> None:
        if self._wallets is not None:
            self._wallets.publish()

    @property
    def held_files(self) -> list[str]:
        """The uuids of the files whose data keys are held by their profiles from now on."""
        return list(self._file_keys)

    def touched_profiles(self) -> set[int]:
        """Return the profiles whose prepared replies are no longer true."""
        return self.profiles.keys() | self._steps_of.keys() | self._new_documents.keys()


def _split(changed: dict[int, Any], held: dict[int, Any]) -> TableChange:
    change = TableChange([], [])
    for record_id, record in changed.items():
        (change.updated if record_id in held else change.inserted).append(record)
    return change
