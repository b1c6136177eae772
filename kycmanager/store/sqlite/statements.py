"""The writing statements, each a constant text for 64, 16, 4 and 1 rows."""

import re

_SIZES = (64, 16, 4, 1)
"""How many rows one run of a statement takes: as many as are left of a batch, by the largest size that fits.

SQLite works on one run without the interpreter's lock. Taking the lock back costs up to 5 ms when the event loop is
busy, so a run per row would make a batch of hundreds of rows wait for seconds; few runs also bind faster.
"""

Statement = tuple[tuple[int, str], ...]


def _many(text: str) -> Statement:
    """Return a statement about one row of values, written for each of the sizes."""
    before, row, after = re.split(r"(\(\?[?, ]*\))", text)
    return tuple((size, f"{before}{', '.join([row] * size)}{after}") for size in _SIZES)


# Ids, owners, brands and times of creation never change, nor what a step or a profile was made from.

INSERT_TEMPLATE = _many("""
INSERT INTO template (
    id, brand, level, code, name, description, step_type, required, status, sort_index, created_time, updated_time,
    version, requirements, form_schema
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
""")
UPDATE_TEMPLATE = _many("""
WITH changed (
    id, level, code, name, description, step_type, required, status, sort_index, updated_time, version,
    requirements, form_schema
) AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
UPDATE template
SET level = changed.level,
    code = changed.code,
    name = changed.name,
    description = changed.description,
    step_type = changed.step_type,
    required = changed.required,
    status = changed.status,
    sort_index = changed.sort_index,
    updated_time = changed.updated_time,
    version = changed.version,
    requirements = changed.requirements,
    form_schema = changed.form_schema
FROM changed
WHERE template.id = changed.id
""")
DELETE_TEMPLATE = _many("DELETE FROM template WHERE id IN (VALUES (?))")
DELETE_TEMPLATE_TEXT = _many("DELETE FROM template_text WHERE template_id IN (VALUES (?))")
INSERT_TEMPLATE_TEXT = _many("""
INSERT INTO template_text (
    template_id, version, requirements, form_schema
)
VALUES (?, ?, ?, ?)
""")
INSERT_PROFILE = _many("""
INSERT INTO profile (
    id, customer_id, brand, status, current_level, required_level, risk_level, created_time, updated_time, version
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
""")
UPDATE_PROFILE = _many("""
WITH changed (
    id, status, current_level, required_level, risk_level, updated_time, version
) AS (VALUES (?, ?, ?, ?, ?, ?, ?))
UPDATE profile
SET status = changed.status,
    current_level = changed.current_level,
    required_level = changed.required_level,
    risk_level = changed.risk_level,
    updated_time = changed.updated_time,
    version = changed.version
FROM changed
WHERE profile.id = changed.id
""")
INSERT_STEP = _many("""
INSERT INTO step (
    id, customer_id, kyc_id, brand, template_id, template_version, level, code, name, step_type, required, explicit,
    status, submitted_time, created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time,
    version, answers
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
""")
UPDATE_STEP = _many("""
WITH changed (
    id, level, required, explicit, status, submitted_time, updated_time, reviewed_time, reviewed_by, reason,
    comment, expire_time, version, answers
) AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
UPDATE step
SET level = changed.level,
    required = changed.required,
    explicit = changed.explicit,
    status = changed.status,
    submitted_time = changed.submitted_time,
    updated_time = changed.updated_time,
    reviewed_time = changed.reviewed_time,
    reviewed_by = changed.reviewed_by,
    reason = changed.reason,
    comment = changed.comment,
    expire_time = changed.expire_time,
    version = changed.version,
    answers = changed.answers
FROM changed
WHERE step.id = changed.id
""")
INSERT_DOCUMENT = _many("""
INSERT INTO document (
    id, customer_id, kyc_id, step_id, brand, type, status, file_id, file_name, content_type, file_size, checksum,
    created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
""")
UPDATE_DOCUMENT = _many("""
WITH changed (
    id, step_id, type, status, file_id, file_name, content_type, file_size, checksum, updated_time, reviewed_time,
    reviewed_by, reason, comment, expire_time, version
) AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
UPDATE document
SET step_id = changed.step_id,
    type = changed.type,
    status = changed.status,
    file_id = changed.file_id,
    file_name = changed.file_name,
    content_type = changed.content_type,
    file_size = changed.file_size,
    checksum = changed.checksum,
    updated_time = changed.updated_time,
    reviewed_time = changed.reviewed_time,
    reviewed_by = changed.reviewed_by,
    reason = changed.reason,
    comment = changed.comment,
    expire_time = changed.expire_time,
    version = changed.version
FROM changed
WHERE document.id = changed.id
""")
INSERT_AUDIT = _many("""
INSERT INTO audit (
    id, time, brand, customer_id, kyc_id, step_id, document_id, template_id, action, actor_id, actor_session,
    source, reason, comment, old_status, new_status, details
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
""")
INSERT_EVENT = _many("""
INSERT INTO event (
    seq, time, brand, customer_id, kyc_id, kind, record
)
VALUES (?, ?, ?, ?, ?, ?, ?)
""")
INSERT_IDEMPOTENCY = _many("""
INSERT INTO idempotency (
    scope, digest, record_id, record_version, time
)
VALUES (?, ?, ?, ?, ?)
""")
INSERT_REVOCATION = _many("""
INSERT INTO revocation (
    jti, session, sub, not_before, expires
)
VALUES (?, ?, ?, ?, ?)
""")
UPDATE_COUNTER = "UPDATE counter SET value = ? WHERE name = ?"
