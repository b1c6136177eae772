"""The writing statements; an update is bound to the same row as an insert, and sets all but its id and its owner."""

from kycmanager.store.sqlite.columns import COLUMNS

_OWNER = ("customer_id", "brand")


def _summed(table: str) -> list[str]:
    return [*[name.strip() for name in COLUMNS[table].split(",")], "sum"]


def _insert(table: str, *more: str, verb: str = "INSERT", rows: int = 1) -> str:
    """Return the statement for new rows: of each what its sum covers, the sum, and `more` after it."""
    names = [*_summed(table), *more]
    values = f"({', '.join('?' * len(names))})"
    return f"{verb} INTO {table} ({', '.join(names)}) VALUES {', '.join([values] * rows)}"


def _update(table: str, *kept: str) -> str:
    """Return the statement for a changed row: all is set but what is `kept`, for the sum covers all."""
    places = enumerate(_summed(table), 1)
    changed = ", ".join(f"{name} = ?{place}" for place, name in places if name not in kept)
    return f"UPDATE {table} SET {changed} WHERE id = ?1"  # noqa: S608 - made of constants


INSERT_TEMPLATE = _insert("template")
UPDATE_TEMPLATE = _update("template", "id")
DELETE_TEMPLATE = "DELETE FROM template WHERE id = ?"
DELETE_TEMPLATE_TEXT = "DELETE FROM template_text WHERE template_id = ?"
INSERT_TEMPLATE_TEXT = _insert("template_text")
INSERT_PROFILE = _insert("profile")
UPDATE_PROFILE = _update("profile", "id", *_OWNER)
INSERT_STEP = _insert("step", *_OWNER)
UPDATE_STEP = _update("step", "id", "kyc_id")
INSERT_DOCUMENT = _insert("document", *_OWNER)
UPDATE_DOCUMENT = _update("document", "id", "kyc_id")
INSERT_AUDIT = _insert("audit")
AUDIT_GROUP = 64
"""Rows of one statement: to run one costs as much as to write a row, and here each command has a new one."""
INSERT_AUDIT_GROUP = _insert("audit", rows=AUDIT_GROUP)
INSERT_EVENTS = _insert("feed")
INSERT_IDEMPOTENCY = _insert("idempotency")
INSERT_REVOCATION = _insert("revocation")
REPLACE_USER = _insert("user", verb="REPLACE")
REPLACE_LOGIN = _insert("login", verb="REPLACE")
DELETE_LOGIN = "DELETE FROM login WHERE id = ?"
REPLACE_CLAIM = _insert("claim", verb="REPLACE")
DELETE_CLAIM = "DELETE FROM claim WHERE kyc_id = ?"
INSERT_NOTE = _insert("note")
UPDATE_NOTE = _update("note", "id")
DELETE_NOTES = "DELETE FROM note WHERE kyc_id = ?"
REPLACE_IDENTITY = _insert("identity", verb="REPLACE")
DELETE_IDENTITY = "DELETE FROM identity WHERE id = ?"
REPLACE_CALLBACK = _insert("callback", verb="REPLACE")
DELETE_CALLBACK = "DELETE FROM callback WHERE id = ?"
REPLACE_CHALLENGE = _insert("challenge", verb="REPLACE")
DELETE_CHALLENGE = "DELETE FROM challenge WHERE digest = ?"
REPLACE_VERIFICATION = _insert("verification", verb="REPLACE")
DELETE_VERIFICATION = "DELETE FROM verification WHERE kyc_id = ? AND field = ?"
REPLACE_FILTER = _insert("queue_filter", verb="REPLACE")
DELETE_FILTER = "DELETE FROM queue_filter WHERE session = ? AND sub = ? AND name = ?"
REPLACE_DELIVERY = _insert("outbound", verb="REPLACE")
REPLACE_CURSOR = _insert("outbound_cursor", verb="REPLACE")
REPLACE_MARK = _insert("outbound_mark", verb="REPLACE")
FORGET_DELIVERIES = """
DELETE FROM outbound
WHERE id IN (SELECT id FROM outbound WHERE ended_time > 0 AND ended_time < ? ORDER BY ended_time LIMIT ?)
"""
REPLACE_TALLY = _insert("tally", verb="REPLACE")
INSERT_TALLY_MARK = _insert("tally_mark")
REPLACE_LOOKUP = _insert("lookup", verb="REPLACE")
DELETE_LOOKUP = "DELETE FROM lookup WHERE step_id = ?"
INSERT_LOOKUP_MARK = _insert("lookup_mark")
UPDATE_EVENTS = "UPDATE feed SET events = ?, sum = ? WHERE last_seq = ?"
INSERT_FILE_KEY = "INSERT INTO file_key (file_id, kyc_id, wrapped) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
UPDATE_COUNTER = "UPDATE counter SET value = ? WHERE name = ?"
