"""What every field of the commands means, once for all of them, with a value to show."""

from typing import Any

from msgspec import UNSET, Struct

import kycmanager
from kycmanager.commands.model import ListRequest, Request


class Entry(Struct, frozen=True):
    """The meaning of a field and an example of it; without one it is made from the field's type.

    `in_list` is the meaning in a request for a list instead, `in_write` that in a write.
    """

    doc: str
    example: Any = UNSET
    in_list: str = ""
    in_write: str = ""


_FILE_ID = "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c"
_FORM: dict[str, Any] = {
    "sections": [
        {
            "title": "About you",
            "fields": [{"name": "full_name", "type": "text", "label": "Full name", "required": True}],
        }
    ]
}

GLOSSARY: dict[str, Entry] = {
    "accepted": Entry("Always true: what is not done is an error", True),
    "action": Entry("What was done, such as step.approved", "step.approved", in_list="Only this action; empty is any"),
    "actor_id": Entry(
        "Who did it: the sub of the token; 0 is the daemon itself", 9, in_list="Only rows of this actor; 0 is any"
    ),
    "actor_session": Entry("The session type of who did it", 1),
    "address": Entry("The address the sign-in came from", "203.0.113.9"),
    "after": Entry("The `next` of the page before; wins over `offset`", ""),
    "after_seq": Entry("Send first what happened after this number of the event feed", 120),
    "agent": Entry("What the browser calls itself", "Mozilla/5.0"),
    "agreed_time": Entry("When the base was last found to be the one its heads tell of, Unix seconds", 1767225700),
    "allowed": Entry("Whether a real account may be opened", False),
    "answers": Entry("The customer's answers, by the names of the fields of the form", {"full_name": "Ann Example"}),
    "audit_id": Entry("The last audit row in the chain", 120),
    "brand": Entry("The brand, case-sensitive", "acme", in_list="Only rows of this brand"),
    "brands": Entry("The brands somebody may see; null is all of them", ["acme"]),
    "chanels": Entry("The channels, as the first clients spell the key", ["kyc:acme"]),
    "channels": Entry("The channels: kyc, kyc:<brand>, kyc:<brand>:<customer_id>; others are ignored", ["kyc:acme"]),
    "checked": Entry("How many files were read again", 12),
    "checksum": Entry(
        "SHA-256 of the file, hexadecimal", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    ),
    "code": Entry("The code of the template or step, unique in its brand", "passport", in_list="Only this code"),
    "commands": Entry("The rows of the table"),
    "comment": Entry("Internal, never shown to the customer", "Clear scan"),
    "connections": Entry("Open connections", 3),
    "content_type": Entry("The type of the file's content", "application/pdf"),
    "cookie_hash": Entry("The SHA-256 of what the cookie holds, in hex", "ab" * 32),
    "count": Entry("How many rows there are in all", 1),
    "count_capped": Entry("True when there are more rows than `count` says; else missing", True),
    "created_time": Entry("When it was made, Unix seconds", 1767225600),
    "current": Entry("The id of the master key that seals from now on", "55cf491e42a212ad"),
    "current_level": Entry("The level reached", 0, in_list="Only at this level reached; -1 is any"),
    "customer_id": Entry("The customer", 42, in_list="Only rows of this customer"),
    "definitions": Entry("The JSON schemas that requests and replies refer to", {}),
    "description": Entry("A longer text for people", "A passport or identity card"),
    "destroyed": Entry("How many profiles had their key destroyed", 0),
    "details": Entry("What else there is to know of the change", {}),
    "document": Entry("The document"),
    "document_id": Entry("The document; 0 is none", 31, in_list="Only rows of this document; 0 is any"),
    "documents": Entry("The documents"),
    "enabled": Entry("Whether the user may sign in", True),
    "errors": Entry("The names of the errors a command may answer", ["RET_NOT_FOUND"]),
    "event_seq": Entry("The newest number of the event feed", 120),
    "events": Entry("How many events there are", 120),
    "expire_time": Entry("When the approval ends, Unix seconds, in the future; 0 is never", 1893456000),
    "expires": Entry("When the token would have run out by itself, Unix seconds", 1893456000),
    "explicit": Entry("1 when the step was required by its code, whatever its level", 0),
    "extension": Entry("The extension of the stored file", "pdf"),
    "fault": Entry("What is wrong with it", "checksum differs"),
    "faults": Entry("What is not intact, and why"),
    "file_ids": Entry("Stored files by their uuid", [_FILE_ID]),
    "issued": Entry("When the token was issued, Unix seconds; 0 when it does not say", 1767225600),
    "keys": Entry("How many keys were sealed anew", 12),
    "masters": Entry("The master keys by id, and how many keys each seals"),
    "old": Entry("The ids of the master keys that are not needed any more", []),
    "owner_kind": Entry("Who sent the file: customer, manager, or another type of session", "customer"),
    "owner_id": Entry("The id of who sent the file", 42),
    "malware": Entry("The scanner's name for what it found", "Eicar-Test-Signature"),
    "decision": Entry("What becomes of the file: release or refuse", "release"),
    "file": Entry("The stored file"),
    "file_state": Entry(
        "Whether the content may be fetched: accepted, quarantined until somebody decides, released, refused",
        "accepted",
    ),
    "findings": Entry("What was found in the file that a viewer would run, fetch or unpack", ["javascript"]),
    "file_id": Entry("The uuid of an uploaded file", _FILE_ID),
    "file_name": Entry("The name of the file, from storage", "passport.pdf"),
    "file_size": Entry("The size of the file in bytes", 48213),
    "files": Entry("What is kept of each file"),
    "form_schema": Entry("The form of the questionnaire: sections of typed fields", _FORM),
    "hash": Entry("The SHA-256 of the chain up to there, in hex", "ab" * 32),
    "id": Entry("The id of the record", 7),
    "jti": Entry("The id of the token", "0f3c6a"),
    "kind": Entry("How the command runs: read, write or query", "read"),
    "kyc_current_level": Entry("The level reached", 0),
    "kyc_id": Entry("The profile", 5, in_list="Only rows of this profile"),
    "kyc_profile_id": Entry("The profile; 0 when there is none", 5),
    "kyc_required": Entry("Whether anything is asked of the customer", True),
    "kyc_required_level": Entry("The level asked for", 1),
    "kyc_status": Entry("Where the customer stands in the brand", 2),
    "level": Entry("The KYC level", 1, in_list="Only this level"),
    "limit": Entry("At most so many rows", 100),
    "link": Entry("The number of the last link of the chain", 80),
    "login": Entry("The sign-in"),
    "logins": Entry("How many browsers the user is signed in from now", 1),
    "look": Entry("Look at so many rows at most, and go on at `next`; 0 is as many as it takes", 0),
    "methods": Entry("The HTTP methods of the route; empty without one", ["GET"]),
    "missing": Entry("The steps that stand in the way"),
    "name": Entry("The name for people, or of the command", "Passport"),
    "next": Entry("The cursor of the next page, null on the last one", None),
    "new_status": Entry("The status after the change", 2),
    "not_before": Entry("Tokens issued before this time are refused, Unix seconds", 1767225600),
    "object": Entry("The file or row", f"{_FILE_ID}.pdf"),
    "offset": Entry("Skip so many rows; `after` pages without its cost", 0),
    "old_status": Entry("The status before the change", 1),
    "order": Entry("The order of the rows; a leading minus is descending", "id"),
    "original_name": Entry("The name the file was uploaded under, as data only", "passport.pdf"),
    "password_hash": Entry(
        "The password as argon2id with its parameters", "$argon2id$v=19$m=47104,t=2,p=1$c2FsdA$aGFzaA"
    ),
    "path": Entry("The path of the route; empty without one", "/manager/kyc/profiles"),
    "place": Entry("Where the master keys come from: a file, or a variable", "keys/master.key"),
    "pong": Entry("Always true", True),
    "profile": Entry("The profile"),
    "profiles": Entry("How many profiles there are", 1),
    "purpose": Entry("What the file was uploaded for, as the uploader said", "kyc"),
    "queue_depth": Entry("Writes that wait for their turn", 0),
    "reason": Entry("Why; for a rejection a code the customer sees", "manual_review"),
    "reply": Entry("The JSON schema of the reply", {}),
    "request": Entry("The JSON schema of the request", {}),
    "required": Entry("1 when the step must be passed, 0 when it may be left out", 1),
    "required_level": Entry("The level asked for", 1, in_list="Only with this level asked for; -1 is any"),
    "requirements": Entry("What the customer is told to bring; shown, not enforced", {"documents": ["passport"]}),
    "reviewed_by": Entry("Who decided: the sub of the token; 0 is nobody yet", 9),
    "reviewed_time": Entry("When it was decided, Unix seconds; 0 is not yet", 1767225800),
    "risk_level": Entry("How risky the customer is", 1, in_list="Only customers this risky; -1 is any"),
    "role": Entry("What the user is to the commands", "manager"),
    "rows": Entry("The rows of this page"),
    "scope": Entry("Who may read the file: 0 its owner and managers, 3 everybody", 0),
    "sealing": Entry("Whether what is new is encrypted on disk", True),
    "session": Entry("The session type of the tokens", 9),
    "sessions": Entry("The session types that may call", ["manager"]),
    "signature": Entry("The type found in the content of the file", "application/pdf"),
    "sort_index": Entry("Where the step stands among those of its level", 0),
    "source": Entry("Where the wish came from, for the audit", "crm"),
    "started_time": Entry("When the daemon started, Unix seconds", 1767225600),
    "status": Entry("Where the record stands", 1, in_list="Only rows in this status; -1 is any"),
    "step": Entry("The step"),
    "step_code": Entry("The code of the step's template", "passport"),
    "step_id": Entry("The step; 0 is none", 12, in_list="Only rows of this step"),
    "step_type": Entry("What the step asks for", 2, in_list="Only this type; -1 is any"),
    "steps": Entry("The steps"),
    "storage_name": Entry("The name under which the file can be downloaded", f"{_FILE_ID}.pdf"),
    "sub": Entry("The subject of the tokens", 42),
    "submitted_time": Entry("When the customer handed it in, Unix seconds; 0 is not yet", 1767225700),
    "summary": Entry("What the command does", "Show a step with its documents"),
    "template": Entry("The template"),
    "template_id": Entry("The template; 0 is none", 3),
    "template_version": Entry("The version of the template the step was made from", 1),
    "templates": Entry("How many templates there are", 1),
    "time": Entry("When, Unix seconds", 1767225700),
    "time_from": Entry("Not before this time, Unix seconds; 0 is any", 0),
    "time_to": Entry("Not after this time, Unix seconds; 0 is any", 0),
    "told_time": Entry("When the end of the chain was last written down outside the base, Unix seconds", 1767225700),
    "totp": Entry("Whether one-time codes are asked for", True),
    "totp_counter": Entry("The half minute of the one-time code, counted from 1970; 0 without one", 0),
    "totp_secret": Entry("The secret of the one-time codes, in hex; empty asks for none any more", "ab" * 20),
    "type": Entry("What the document is, in the words of the brand", "passport", in_list="Only documents of this type"),
    "updated_from": Entry("Not changed before this time, Unix seconds; 0 is any", 0),
    "updated_time": Entry("When it was last changed, Unix seconds", 1767225700),
    "updated_to": Entry("Not changed after this time, Unix seconds; 0 is any", 0),
    "uploaded": Entry("What was asked for each file"),
    "used_time": Entry("When it was last used, Unix seconds, exact to a minute", 1767225700),
    "user": Entry("The user"),
    "user_id": Entry("The user whose password was right", 42),
    "users": Entry("Those who may sign in"),
    "uuid": Entry("The id of the file", _FILE_ID),
    "version": Entry(
        "How often the record has changed, from 1",
        1,
        in_write="Refuse the write when the record has another version by now",
    ),
    "waiting": Entry("How many uploads wait to be attached, their keys sealed by their brand", 0),
    "assignee": Entry(
        "Who works on it: the sub of the token; 0 is nobody", 9, in_list="Only cases of this reviewer; 0: of nobody"
    ),
    "assignee_session": Entry("The session type of who works on it", 1),
    "author_id": Entry("Who wrote it: the sub of the token", 9),
    "author_session": Entry("The session type of who wrote it", 1),
    "case": Entry("The case"),
    "cases": Entry("The cases whose lease is over", [5]),
    "customer_text": Entry("What the customer is told, by language", {"en": "Please send a clear picture."}),
    "document_type": Entry("What a document of the profile is, in the words of the brand", "passport"),
    "documents_pending": Entry("How many documents of its pending steps nobody has decided", 1),
    "filter": Entry("Filters and order of MngGetKycQueue", {"brand": "acme", "risk_level": 3}),
    "label": Entry("What it is called for reviewers", "Blurred, dark or cut off"),
    "lang": Entry("The language of `reason_text`, such as de or pt-BR; empty is that of the settings", "en"),
    "lease_until": Entry("When the claim ends by itself, Unix seconds; 0 without one", 1767226300),
    "leaving": Entry("A case the caller leaves: let go of if held, and not given now; 0 is none", 0),
    "note": Entry("The note"),
    "profiles_gaining": Entry("How many profiles are asked for the level or more and have no step of it", 4),
    "profiles_using": Entry("How many profiles have a step of it, whatever became of that", 12),
    "reason_text": Entry("What a rejection tells the customer, in the language asked for; else empty", ""),
    "step_codes": Entry("The codes of the pending steps", ["passport"]),
    "step_status": Entry("Only with a step in this status; -1 is any", 1),
    "steps_pending": Entry("How many steps wait for a decision", 1),
    "take_over": Entry("Take it from whoever holds it", False),
    "text": Entry("What was written down", "Asked the bank, they confirm"),
    "expires_at": Entry("When it can be used no more, Unix seconds", 1767484800),
    "pass_id": Entry("The id of the pass", "pass:q1fKz0"),
    "ttl": Entry("How long it can be used, in seconds; 0 is what the settings say", 0),
    "url": Entry("Where it leads; a path where the settings name no address", "https://kyc.example.com/portal/link/x"),
    "waiting_from": Entry("Not waiting before this time, Unix seconds; 0 is any", 0),
    "waiting_since": Entry("When the oldest pending step was handed in, Unix seconds", 1767225700),
    "waiting_to": Entry("Not waiting after this time, Unix seconds; 0 is any", 0),
    "account": Entry(
        "The account of the wallet, G... or C...", "GBHS6NPDH5MZ4L4737PFBP6JQ5GHEVILLGPVXEUH5AMMNIB5IWBW6FV4"
    ),
    "choices": Entry("The values it may have"),
    "digest": Entry("The SHA-256 of the challenge, in hex", "ab" * 32),
    "digests": Entry("The SHA-256 of each, in hex", ["ab" * 32]),
    "error": Entry("Why it was rejected, in the language asked for", "It was issued too long ago"),
    "fields": Entry("What is still asked, by name"),
    "identity": Entry("The identity"),
    "memo": Entry("The memo; empty without one, a hash in base64", "42"),
    "memo_type": Entry("id, text or hash; empty without a memo", "id"),
    "message": Entry("Why it was rejected for good; else empty", ""),
    "optional": Entry("True when it may be left out; else missing", True),
    "provided_fields": Entry("What was sent, by name"),
    "token_memo": Entry("The memo of the token, of type id; empty without one", "42"),
    "wallet_id": Entry("The id the wallet was told; empty names the customer by the memo", "1099511627776"),
}
"""By name; a test fails when a field of a command is not here. Examples that do not fit a type are not used."""


_FILE_NAME = Entry("The name under which the file can be downloaded", f"{_FILE_ID}.pdf")
_ATTACHED = Entry("Where the document stands; 0 uploaded when it is new", 0)

OF_STRUCT: dict[tuple[str, str], Entry] = {
    ("CaseView", "level"): Entry("The level asked for", 1),
    ("ClaimCase", "kyc_id"): Entry("The case", 5),
    ("DeleteFilter", "name"): Entry("The name of the filter", "high risk"),
    ("FilterView", "name"): Entry("The name of the filter", "high risk"),
    ("GetQueue", "level"): Entry("Only with this level asked for; -1 is any", -1),
    ("GetQueue", "order"): Entry("risk: the riskiest first, of those the oldest; age: the oldest first", "risk"),
    ("GetQueue", "step_code"): Entry("Only where this step is pending, or has `step_status`", "passport"),
    ("NameCase", "kyc_id"): Entry("The case", 5),
    ("NextCase", "brand"): Entry("Only cases of this brand", "acme"),
    ("NextCase", "level"): Entry("Only with this level asked for; -1 is any", -1),
    ("NextCase", "order"): Entry("risk: the riskiest first, of those the oldest; age: the oldest first", "risk"),
    ("NextCase", "risk_level"): Entry("Only customers this risky; -1 is any", -1),
    ("NextCase", "step_code"): Entry("Only where this step is pending, or has `step_status`", "passport"),
    ("NextReply", "case"): Entry("The case; null when none is free"),
    ("NoteAccess", "action"): Entry("What was done: view, download, export or search", "view"),
    ("NoteAccess", "details"): Entry("What else there is to know of it, at most 4096 bytes", {}),
    ("ReasonView", "code"): Entry("The code, for `reason` of a rejection", "unreadable"),
    ("ReasonView", "kind"): Entry("retry: the customer can mend it; final: not", "retry"),
    ("Released", "cases"): Entry("How many claims were ended", 1),
    ("SaveFilter", "name"): Entry("The name of the filter", "high risk"),
    ("EndPass", "expires"): Entry("When the pass runs out by itself, Unix seconds", 1767484800),
    ("MakeLink", "id"): Entry("The profile; 0 when customer_id and brand name it", 7),
    ("Counts", "documents"): Entry("How many documents there are", 1),
    ("Counts", "steps"): Entry("How many steps there are", 1),
    ("CustomerDocument", "status"): _ATTACHED,
    ("CustomerStatusReply", "profile"): Entry("The profile; null for a customer of whom nothing was asked yet"),
    ("Document", "status"): _ATTACHED,
    ("Expired", "documents"): Entry("How many documents were expired", 1),
    ("Expired", "steps"): Entry("How many steps were expired", 1),
    ("ExpireDue", "documents"): Entry("The ids of the documents whose time is up", [31]),
    ("ExpireDue", "steps"): Entry("The ids of the steps whose time is up", [12]),
    ("GetProfile", "id"): Entry("The profile; 0 when customer_id and brand name it", 7),
    ("KeyCount", "brand_keys"): Entry("How many keys of brands it seals", 1),
    ("KeyCount", "id"): Entry("Its id, which tells nothing of the key", "55cf491e42a212ad"),
    ("KeyCount", "profile_keys"): Entry("How many keys of profiles it seals", 12),
    ("KeyCount", "state"): Entry("current, old, or missing: some keys are sealed by it and it is not there", "current"),
    ("KeysReply", "held"): Entry("How many files have their key sealed by the profile they are attached to", 3),
    ("SealAnswers", "steps"): Entry("The ids of steps whose answers may be in clear", [12]),
    ("SealedReply", "events"): Entry("How many events told of answers in clear", 3),
    ("SealedReply", "files"): Entry("How many files were in clear", 2),
    ("SealedReply", "steps"): Entry("How many steps had answers in clear", 1),
    ("ServerFacts", "documents"): Entry("How many documents there are", 1),
    ("ServerFacts", "steps"): Entry("How many steps there are", 1),
    ("ServerFacts", "version"): Entry("The version of the daemon", kycmanager.__version__),
    ("Identity", "id"): Entry("What the wallet is told as the id of its customer; never changes", 1099511627776),
    ("Identity", "customer_id"): Entry("Whom it stands for: the id itself until it is linked", 1099511627776),
    ("LinkIdentity", "customer_id"): Entry("The customer of the CRM", 42),
    ("LinkIdentity", "id"): Entry("The identity", 1099511627776),
    ("UseChallenge", "expires"): Entry("When the challenge runs out, Unix seconds", 1767226600),
    ("WalletCustomerReply", "id"): Entry("The id of the customer; empty for a new one", "1099511627776"),
    ("WalletCustomerReply", "status"): Entry("ACCEPTED, PROCESSING, NEEDS_INFO or REJECTED", "NEEDS_INFO"),
    ("WalletField", "status"): Entry(
        "ACCEPTED, PROCESSING, REJECTED or VERIFICATION_REQUIRED; else missing", "ACCEPTED"
    ),
    ("WalletField", "type"): Entry("string, binary, number or date", "string"),
    ("WalletRequest", "type"): Entry("The type of customer; empty is the default one", "sep31-sender"),
    ("SetCallback", "type"): Entry("The type of customer; empty is the default one", "sep31-sender"),
    ("SetCallback", "url"): Entry("Where the wallet wants to be told", "https://wallet.example.com/kyc"),
    ("Template", "status"): Entry("Whether it is attached; only active ones are", 0),
    ("LoginsReply", "logins"): Entry("The sign-ins, the last one first"),
    ("SetUser", "totp"): Entry("The secret of the one-time codes in hex; empty asks for none any more", ""),
    ("UploadReply", "file_name"): _FILE_NAME,
    ("UploadedFile", "file_name"): _FILE_NAME,
}
"""By struct and name: where a name means something else than elsewhere."""


def entry_of(struct: type[Struct], name: str) -> Entry | None:
    """Return the entry of a field of a struct, None when there is none."""
    return OF_STRUCT.get((struct.__name__, name)) or GLOSSARY.get(name)


def meaning(struct: type[Struct], name: str) -> str:
    """Return what a field of a struct means; empty when it is not in the glossary."""
    entry = entry_of(struct, name)
    if entry is None:
        return ""
    special = entry.in_list if issubclass(struct, ListRequest) else entry.in_write
    return special if special and issubclass(struct, Request) else entry.doc
