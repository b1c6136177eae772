"""The writing statements; an update is bound to the same row as an insert, and sets all but its id and its owner."""

# Ids and owners never change. All else is set, what should not change too: the sum covers it.

INSERT_TEMPLATE = """
INSERT INTO template (
    id, brand, level, code, name, description, step_type, required, status, sort_index, created_time, updated_time,
    version, requirements, form_schema, sum
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE_TEMPLATE = """
UPDATE template
SET brand = ?2,
    level = ?3,
    code = ?4,
    name = ?5,
    description = ?6,
    step_type = ?7,
    required = ?8,
    status = ?9,
    sort_index = ?10,
    created_time = ?11,
    updated_time = ?12,
    version = ?13,
    requirements = ?14,
    form_schema = ?15,
    sum = ?16
WHERE id = ?1
"""
DELETE_TEMPLATE = "DELETE FROM template WHERE id = ?"
DELETE_TEMPLATE_TEXT = "DELETE FROM template_text WHERE template_id = ?"
INSERT_TEMPLATE_TEXT = """
INSERT INTO template_text (
    template_id, version, requirements, form_schema, sum
)
VALUES (?, ?, ?, ?, ?)
"""
INSERT_PROFILE = """
INSERT INTO profile (
    id, customer_id, brand, status, current_level, required_level, risk_level, created_time, updated_time, version,
    sum
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE_PROFILE = """
UPDATE profile
SET status = ?4,
    current_level = ?5,
    required_level = ?6,
    risk_level = ?7,
    created_time = ?8,
    updated_time = ?9,
    version = ?10,
    sum = ?11
WHERE id = ?1
"""
INSERT_STEP = """
INSERT INTO step (
    id, kyc_id, template_id, template_version, level, code, name, step_type, required, explicit, status,
    submitted_time, created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version,
    answers, sum, customer_id, brand
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE_STEP = """
UPDATE step
SET template_id = ?3,
    template_version = ?4,
    level = ?5,
    code = ?6,
    name = ?7,
    step_type = ?8,
    required = ?9,
    explicit = ?10,
    status = ?11,
    submitted_time = ?12,
    created_time = ?13,
    updated_time = ?14,
    reviewed_time = ?15,
    reviewed_by = ?16,
    reason = ?17,
    comment = ?18,
    expire_time = ?19,
    version = ?20,
    answers = ?21,
    sum = ?22
WHERE id = ?1
"""
INSERT_DOCUMENT = """
INSERT INTO document (
    id, kyc_id, step_id, type, status, file_id, file_name, content_type, file_size, checksum, created_time,
    updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version, sum, customer_id, brand
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE_DOCUMENT = """
UPDATE document
SET step_id = ?3,
    type = ?4,
    status = ?5,
    file_id = ?6,
    file_name = ?7,
    content_type = ?8,
    file_size = ?9,
    checksum = ?10,
    created_time = ?11,
    updated_time = ?12,
    reviewed_time = ?13,
    reviewed_by = ?14,
    reason = ?15,
    comment = ?16,
    expire_time = ?17,
    version = ?18,
    sum = ?19
WHERE id = ?1
"""
INSERT_AUDIT = """
INSERT INTO audit (
    id, time, brand, customer_id, kyc_id, step_id, document_id, template_id, action, actor_id, actor_session,
    source, reason, comment, old_status, new_status, details, sum
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
INSERT_EVENTS = """
INSERT INTO feed (
    last_seq, first_seq, events, sum
)
VALUES (?, ?, ?, ?)
"""
INSERT_IDEMPOTENCY = """
INSERT INTO idempotency (
    scope, digest, record_id, record_version, time, sum
)
VALUES (?, ?, ?, ?, ?, ?)
"""
INSERT_REVOCATION = """
INSERT INTO revocation (
    jti, session, sub, not_before, expires, sum
)
VALUES (?, ?, ?, ?, ?, ?)
"""
REPLACE_USER = """
REPLACE INTO user (
    id, name, role, brands, status, password, totp, totp_counter, created_time, updated_time, version, sum
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
REPLACE_LOGIN = """
REPLACE INTO login (
    id, cookie_hash, user_id, session, sub, brands, jti, issued, created_time, used_time, expires, address, agent, sum
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
DELETE_LOGIN = "DELETE FROM login WHERE id = ?"
REPLACE_CLAIM = """
REPLACE INTO claim (
    kyc_id, assignee, assignee_session, claimed_time, lease_until, sum
)
VALUES (?, ?, ?, ?, ?, ?)
"""
DELETE_CLAIM = "DELETE FROM claim WHERE kyc_id = ?"
INSERT_NOTE = """
INSERT INTO note (
    id, kyc_id, time, author_id, author_session, version, content, sum
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
REPLACE_FILTER = """
REPLACE INTO queue_filter (
    session, sub, name, updated_time, filter, sum
)
VALUES (?, ?, ?, ?, ?, ?)
"""
DELETE_FILTER = "DELETE FROM queue_filter WHERE session = ? AND sub = ? AND name = ?"
UPDATE_EVENTS = "UPDATE feed SET events = ?, sum = ? WHERE last_seq = ?"
INSERT_FILE_KEY = "INSERT INTO file_key (file_id, kyc_id, wrapped) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
UPDATE_COUNTER = "UPDATE counter SET value = ? WHERE name = ?"
