"""The records the manager keeps, as frozen values; a change makes a new value (manager API, section 3).

Times are Unix seconds; 0 means "not yet" or "never". Ids are positive; 0 means "none". Hot paths make records by
position, which is ten times faster than by name.
"""

from typing import Any

from msgspec import Struct

from kycmanager.domain.enums import (
    DocumentStatus,
    ProfileStatus,
    RiskLevel,
    StepStatus,
    StepType,
    TemplateStatus,
)
from kycmanager.domain.verification import SentCode
from kycmanager.domain.wallets import Identity

NO_OBJECT: dict[str, Any] = {}
"""The one empty JSON object that records share; never changed in place."""


class Template(Struct, frozen=True, gc=False, kw_only=True):
    """What a brand may ask of its customers at one level; unique per (brand, code)."""

    id: int
    brand: str
    level: int
    code: str
    name: str
    description: str
    step_type: StepType
    required: int
    status: TemplateStatus
    sort_index: int
    requirements: dict[str, Any]
    form_schema: dict[str, Any]
    created_time: int
    updated_time: int
    version: int


class TemplateText(Struct, frozen=True, gc=False):
    """What a template asked for in one of its versions; steps point to it instead of carrying a copy."""

    template_id: int
    version: int
    requirements: dict[str, Any]
    form_schema: dict[str, Any]


class Profile(Struct, frozen=True, gc=False):
    """A customer in one brand; unique per (customer_id, brand). Also the customer aggregate."""

    id: int
    customer_id: int
    brand: str
    status: ProfileStatus
    current_level: int
    required_level: int
    risk_level: RiskLevel
    created_time: int
    updated_time: int
    version: int


class Step(Struct, frozen=True, gc=False):
    """One thing asked of one customer. `explicit` = 1 when it was required by code, whatever its level.

    `answers` are kept sealed, as bytes, where the vault seals; `Records.answers` opens them.
    """

    id: int
    customer_id: int
    kyc_id: int
    brand: str
    template_id: int
    template_version: int
    level: int
    code: str
    name: str
    step_type: StepType
    required: int
    explicit: int
    status: StepStatus
    answers: dict[str, Any] | bytes
    submitted_time: int
    created_time: int
    updated_time: int
    reviewed_time: int
    reviewed_by: int
    reason: str
    comment: str
    expire_time: int
    version: int


class Document(Struct, frozen=True, gc=False):
    """A stored file attached to a profile, and to one of its steps unless step_id is 0."""

    id: int
    customer_id: int
    kyc_id: int
    step_id: int
    brand: str
    type: str
    status: DocumentStatus
    file_id: str
    file_name: str
    content_type: str
    file_size: int
    checksum: str
    created_time: int
    updated_time: int
    reviewed_time: int
    reviewed_by: int
    reason: str
    comment: str
    expire_time: int
    version: int


class AuditRow(Struct, frozen=True, gc=False):
    """Who did what to what, and why; written in the transaction of the change it tells of."""

    id: int
    time: int
    brand: str
    customer_id: int
    kyc_id: int
    step_id: int
    document_id: int
    template_id: int
    action: str
    actor_id: int
    actor_session: int
    source: str
    reason: str
    comment: str
    old_status: int
    new_status: int
    details: dict[str, Any]


class Claim(Struct, frozen=True, gc=False):
    """Who works on a case: a lease that ends by itself at `lease_until`. `assignee` is the sub of the session."""

    kyc_id: int
    assignee: int
    assignee_session: int
    claimed_time: int
    lease_until: int

    @property
    def id(self) -> int:
        """The id of the case: every record has one."""
        return self.kyc_id

    @property
    def version(self) -> int:
        """A claim is replaced, not changed."""
        return 1


class Note(Struct, frozen=True, gc=False):
    """What a reviewer wrote down about a case, for reviewers only; never changed.

    `content` is `{"text": ...}`; it is kept sealed, as bytes, where the vault seals; `Records.note_text` opens it.
    """

    id: int
    kyc_id: int
    customer_id: int
    brand: str
    time: int
    author_id: int
    author_session: int
    content: dict[str, Any] | bytes
    version: int = 1


class SavedFilter(Struct, frozen=True):
    """A filter of the queue that a reviewer has given a name; unique per (session, sub, name)."""

    session: int
    sub: int
    name: str
    filter: dict[str, Any]
    updated_time: int


Record = Template | Profile | Step | Document | Claim | Note | Identity | SentCode
"""What an event tells of."""


class Event(Struct, frozen=True, gc=False):
    """One line of the feed: `seq` is gap-free and in the order of truth; `record` is the record after the change."""

    seq: int
    time: int
    brand: str
    customer_id: int
    kyc_id: int
    kind: str
    record: Record


class IdempotencyRecord(Struct, frozen=True, gc=False, kw_only=True):
    """An accepted write under a key: what was asked (a digest) and which record, at which version, answered it."""

    scope: str
    digest: bytes
    record_id: int
    record_version: int
    time: int


class Revocation(Struct, frozen=True, gc=False, kw_only=True):
    """Tokens refused before their time: one by `jti`, or all of a subject issued before `not_before`."""

    jti: str
    session: int
    sub: int
    not_before: int
    expires: int


class FileFacts(Struct, frozen=True, gc=False, kw_only=True):
    """What storage knows of an uploaded file; documents copy it, clients never set it."""

    file_id: str
    file_name: str
    content_type: str
    file_size: int
    checksum: str
    owner_kind: str
    owner_id: int
    brand: str
    data_key: bytes = b""
    """The key of a sealed file that no profile holds yet, itself sealed; empty for every other file."""


class BrandKey(Struct, frozen=True, gc=False):
    """A key that seals the keys of a brand's uploads while nothing holds them; `wrapped` by the master key `master`."""

    id: bytes
    brand: str
    master: bytes
    wrapped: bytes
    created_time: int


class ProfileKey(Struct, frozen=True, gc=False):
    """The key of one profile, which seals its answers and the keys of its files; `wrapped` is empty once destroyed."""

    kyc_id: int
    master: bytes
    wrapped: bytes


class FileKey(Struct, frozen=True, gc=False):
    """The data key of a file that a profile holds, sealed by the profile's key."""

    file_id: str
    kyc_id: int
    wrapped: bytes
