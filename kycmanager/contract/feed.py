"""The chapters of the reference on what happened: the events that are pushed, the actions of the audit."""

from kycmanager.contract.markdown import table

ADD, UPDATE, DELETE, ARCHIVE = "0 add", "1 update", "2 delete", "4 archive"

KINDS: tuple[tuple[str, str, str], ...] = (
    ("profile.updated", UPDATE, "a profile was recalculated: its level, risk, a step or its first document changed"),
    ("step.required", "0 add, 1 update", "a step was asked; 1 when an active one was asked again"),
    ("step.saved", UPDATE, "its customer saved some answers"),
    ("step.submitted", UPDATE, "its customer handed it in"),
    ("step.approved", UPDATE, "a manager approved it"),
    ("step.rejected", UPDATE, "a manager rejected it"),
    ("step.reopened", UPDATE, "a manager took its rejection back"),
    ("step.skipped", UPDATE, "a manager let the customer off it"),
    ("step.expired", UPDATE, "its approval ran out"),
    ("document.added", ADD, "a file was attached"),
    ("document.submitted", UPDATE, "its step was handed in"),
    ("document.approved", UPDATE, "a manager approved it"),
    ("document.rejected", UPDATE, "a manager rejected it"),
    ("document.expired", UPDATE, "its approval ran out"),
    ("document.deleted", DELETE, "a manager deleted it, or its customer before it was handed in; its file stays"),
    ("document.file_released", UPDATE, "its file, which was held back, may be looked at"),
    ("document.file_refused", UPDATE, "its file is held back for good"),
    ("case.claimed", UPDATE, "a reviewer works on it, until `lease_until` unless that is renewed; managers only"),
    ("case.released", UPDATE, "nobody works on it any more; managers only"),
    ("note.added", ADD, "a reviewer has written a note on a case; managers only"),
    (
        "identity.created",
        ADD,
        "a wallet has a new customer, known by an account or an account and a memo; managers only",
    ),
    ("identity.linked", UPDATE, "it stands for a customer of the CRM now; managers only"),
    ("identity.removed", DELETE, "the wallet had its customer erased; managers only"),
    ("verification.code", ADD, "a code is to be brought to a customer: `code` and where `to`; managers only"),
    ("template.added", ADD, "a brand asks something new"),
    ("template.updated", UPDATE, "some of its fields changed"),
    ("template.archived", ARCHIVE, "it was deleted while steps refer to it"),
    ("template.deleted", DELETE, "it was deleted, no step refers to it"),
)
"""Every kind of event with the type of its push."""

ACTIONS: tuple[tuple[str, str], ...] = (
    ("profile.created", ""),
    ("profile.required_level", "requested_level, old_level, new_level, steps: the ids of the attached ones"),
    ("profile.erased", "steps, documents, files: how many were emptied or removed; answers and keys are gone"),
    ("profile.risk", "old_risk, new_risk"),
    ("step.required", "code, level, reused; or successor_of, the step that expired"),
    ("step.saved", "fields: the names of those given"),
    ("step.submitted", "amended: the fields, where it waited already and its customer changed some"),
    ("step.approved", "expire_time, when there is one"),
    ("step.rejected", ""),
    ("step.reopened", ""),
    ("step.skipped", ""),
    ("step.expired", ""),
    ("document.added", "file_id"),
    ("document.approved", ""),
    ("document.rejected", ""),
    ("document.deleted", ""),
    ("document.expired", ""),
    ("case.claimed", "lease_until"),
    ("case.renewed", "lease_until; decisions, notes and looks renew too, without a row of their own for it"),
    ("case.taken_over", "lease_until; assignee and assignee_session: who held it"),
    ("case.released", "assignee, assignee_session: who held it; the reason is done, released, left or lapsed"),
    ("note.added", "note_id"),
    ("delivery.replayed", "channel, delivery_id, seq; or channel, from_seq"),
    ("filter.saved", "name"),
    ("filter.deleted", "name"),
    ("access.search", "what was searched for, and found: how many"),
    ("access.view", "as the pages tell it"),
    ("access.download", "as the pages tell it"),
    ("access.export", "as the pages tell it"),
    ("identity.created", "identity, account"),
    ("identity.linked", "identity, account, before: the customer it stood for"),
    ("identity.removed", "identity, account"),
    ("identity.callback", "identity, replaced: whether there was one before"),
    ("verification.code", "field; a code was made and told to whoever delivers it"),
    ("verification.confirmed", "field"),
    ("verification.failed", "field; the code was wrong"),
    ("template.added", ""),
    ("template.updated", "changed: the names of the fields"),
    ("template.archived", "code"),
    ("template.deleted", "code"),
    ("file.released", "file_id, before: the state it had"),
    ("file.refused", "file_id, before: the state it had"),
    ("file.infected", "file_id, signature; owner and owner_id where no customer sent it. Nothing was stored"),
    ("keys.rotation", "master: the id of the master key that is to seal all keys; the rotation has begun"),
    ("keys.rotated", "master, keys: how many were sealed anew; the rotation is done"),
    ("keys.sealed", "steps, notes, users: how many had something in clear, which is sealed now"),
    ("keys.held", "files: how many have their key sealed by their profile now"),
    ("user.added", "user: the id, name, role, brands"),
    ("user.changed", "user, name, changed: the names of what is new, enabled"),
    ("user.removed", "user, name"),
    ("user.signed_in", "login: its number, name of the user or jti of the token, address"),
    ("user.signed_out", "login: its number; by its owner"),
    ("portal.link_made", "link: the id of its pass, expires"),
    ("portal.link_used", "link: the id of its pass; by whoever holds it, as the customer"),
    ("portal.signed_out", ""),
    ("token.revoked", "jti"),
    ("token.subject_revoked", "session, sub, not_before"),
)
"""Every action of the audit with what its `details` hold."""

_EVENTS = """## Events

`Subscribe` over TCP asks for them, by channel: `kyc` is every brand of the token, `kyc:<brand>` one brand,
`kyc:<brand>:<customer_id>` one customer. These need a manager session; a customer may name the own channel only and
gets the customer's view, any other session gets none. Channels that mean nothing here are accepted and ignored.

```json
{"event":"kyc:event","type":1,
 "data":{"seq":120,"kind":"step.approved","brand":"acme","customer_id":42,"kyc_id":5,"record":{}}}
```

`record` is the profile, step, document, template, claim, note, identity or code after the change. Events
of templates have customer 0.

"""

_TRIGGERS = """Besides `step.approved` and `step.rejected`, managers are pushed the workflow triggers
`kyc.step.approved` and `kyc.step.rejected`: `{"event":"kyc.step.approved","type":1,"data":{seq, customer_id, brand,
code, level, kyc_status, kyc_current_level}}`, right after the event and **with its `seq`**. Customers get no triggers.

Numbers (`seq`) have no gaps over all brands together: who follows one brand or customer sees rising numbers with gaps.
Keep the last `seq` once you have handled **all** pushes that carry it, and subscribe with it as `after_seq` when you
come back: what was missed comes first, in order, then what is new. `after_seq` 0 is everything there ever was. Over a
connection that does not read, nothing is lost: it is told from the base when it reads again.

A notice is a list, not an object: `["n", message, description, token, status, level, user_id, time, data, code]`,
level 20. One comes when the last session of a connection's channels has ended (`PERMISSION_DENIED`, at the first event
it may not see any more: subscribe with a new token) and when the daemon stops (`RET_ERR_SHUTDOWN`; `description` says
after which `seq` to subscribe).
"""

_ACTIONS = """## Actions

What `MngGetKycAudit` tells of. A row is written in the transaction of its change, names who did it (`actor_id` 0: the
daemon itself) and the status before and after.

"""


def events() -> str:
    """Return the chapter on the feed."""
    return _EVENTS + table(["Kind", "Type", "When"], [list(row) for row in KINDS]) + "\n" + _TRIGGERS


def actions() -> str:
    """Return the chapter on the audit."""
    return _ACTIONS + table(["Action", "`details`"], [list(row) for row in ACTIONS])
