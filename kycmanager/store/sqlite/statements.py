"""The writing statements; an update is bound to its id first, then to the columns that may change."""

# Ids, owners and times of creation never change, nor brands but a template's, nor what a step was made from.

INSERT_TEMPLATE = """
INSERT INTO template (
    id, brand, level, code, name, description, step_type, required, status, sort_index, created_time, updated_time,
    version, requirements, form_schema
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
    updated_time = ?11,
    version = ?12,
    requirements = ?13,
    form_schema = ?14
WHERE id = ?1
"""
DELETE_TEMPLATE = "DELETE FROM template WHERE id = ?"
DELETE_TEMPLATE_TEXT = "DELETE FROM template_text WHERE template_id = ?"
INSERT_TEMPLATE_TEXT = """
INSERT INTO template_text (
    template_id, version, requirements, form_schema
)
VALUES (?, ?, ?, ?)
"""
INSERT_PROFILE = """
INSERT INTO profile (
    id, customer_id, brand, status, current_level, required_level, risk_level, created_time, updated_time, version
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE_PROFILE = """
UPDATE profile
SET status = ?2,
    current_level = ?3,
    required_level = ?4,
    risk_level = ?5,
    updated_time = ?6,
    version = ?7
WHERE id = ?1
"""
INSERT_STEP = """
INSERT INTO step (
    id, customer_id, kyc_id, brand, template_id, template_version, level, code, name, step_type, required, explicit,
    status, submitted_time, created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time,
    version, answers
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE_STEP = """
UPDATE step
SET level = ?2,
    required = ?3,
    explicit = ?4,
    status = ?5,
    submitted_time = ?6,
    updated_time = ?7,
    reviewed_time = ?8,
    reviewed_by = ?9,
    reason = ?10,
    comment = ?11,
    expire_time = ?12,
    version = ?13,
    answers = ?14
WHERE id = ?1
"""
INSERT_DOCUMENT = """
INSERT INTO document (
    id, customer_id, kyc_id, step_id, brand, type, status, file_id, file_name, content_type, file_size, checksum,
    created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE_DOCUMENT = """
UPDATE document
SET step_id = ?2,
    type = ?3,
    status = ?4,
    file_id = ?5,
    file_name = ?6,
    content_type = ?7,
    file_size = ?8,
    checksum = ?9,
    updated_time = ?10,
    reviewed_time = ?11,
    reviewed_by = ?12,
    reason = ?13,
    comment = ?14,
    expire_time = ?15,
    version = ?16
WHERE id = ?1
"""
INSERT_AUDIT = """
INSERT INTO audit (
    id, time, brand, customer_id, kyc_id, step_id, document_id, template_id, action, actor_id, actor_session,
    source, reason, comment, old_status, new_status, details
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
INSERT_EVENTS = """
INSERT INTO feed (
    last_seq, first_seq, events
)
VALUES (?, ?, ?)
"""
INSERT_IDEMPOTENCY = """
INSERT INTO idempotency (
    scope, digest, record_id, record_version, time
)
VALUES (?, ?, ?, ?, ?)
"""
INSERT_REVOCATION = """
INSERT INTO revocation (
    jti, session, sub, not_before, expires
)
VALUES (?, ?, ?, ?, ?)
"""
UPDATE_COUNTER = "UPDATE counter SET value = ? WHERE name = ?"
