-- The records of the manager. Times are Unix seconds, 0 = not yet or never; ids are positive, 0 = none.
-- The cache in memory holds the indexes: a table has only those that keep the truth or serve the audit.

CREATE TABLE template (
    id INTEGER PRIMARY KEY,
    brand TEXT NOT NULL,
    level INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    step_type INTEGER NOT NULL,       -- 0 document, 1 questionnaire, 2 mixed, 3 provider, 4 manual
    required INTEGER NOT NULL,
    status INTEGER NOT NULL,          -- 0 active, 1 disabled, 2 archived
    sort_index INTEGER NOT NULL,
    created_time INTEGER NOT NULL,
    updated_time INTEGER NOT NULL,
    version INTEGER NOT NULL,
    requirements TEXT NOT NULL,       -- JSON
    form_schema TEXT NOT NULL,        -- JSON
    UNIQUE (brand, code)
);

-- What a template asked for in each of its versions: a step points here by (template_id, template_version).
CREATE TABLE template_text (
    template_id INTEGER NOT NULL REFERENCES template (id),
    version INTEGER NOT NULL,
    requirements TEXT NOT NULL,       -- JSON
    form_schema TEXT NOT NULL,        -- JSON
    PRIMARY KEY (template_id, version)
);

CREATE TABLE profile (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL,
    brand TEXT NOT NULL,
    status INTEGER NOT NULL,          -- 0 none, 1 draft, 2 pending, 3 approved, 4 rejected, 5 expired, 6 review_required
    current_level INTEGER NOT NULL,
    required_level INTEGER NOT NULL,
    risk_level INTEGER NOT NULL,      -- 0 unknown, 1 low, 2 medium, 3 high, 4 prohibited
    created_time INTEGER NOT NULL,
    updated_time INTEGER NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (customer_id, brand)
);

-- template_id has no REFERENCES: removing a template would search every step for it.
CREATE TABLE step (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL,
    kyc_id INTEGER NOT NULL REFERENCES profile (id),
    brand TEXT NOT NULL,
    template_id INTEGER NOT NULL,
    template_version INTEGER NOT NULL,
    level INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    step_type INTEGER NOT NULL,
    required INTEGER NOT NULL,
    explicit INTEGER NOT NULL,
    status INTEGER NOT NULL,          -- 0 required, 1 pending, 2 approved, 3 rejected, 4 expired, 5 skipped
    submitted_time INTEGER NOT NULL,
    created_time INTEGER NOT NULL,
    updated_time INTEGER NOT NULL,
    reviewed_time INTEGER NOT NULL,
    reviewed_by INTEGER NOT NULL,
    reason TEXT NOT NULL,
    comment TEXT NOT NULL,
    expire_time INTEGER NOT NULL,
    version INTEGER NOT NULL,
    answers TEXT NOT NULL             -- JSON
);

CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL,
    kyc_id INTEGER NOT NULL REFERENCES profile (id),
    step_id INTEGER NOT NULL,
    brand TEXT NOT NULL,
    type TEXT NOT NULL,
    status INTEGER NOT NULL,          -- 0 uploaded, 1 pending, 2 approved, 3 rejected, 4 expired, 5 deleted
    file_id TEXT NOT NULL,
    file_name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    file_size INTEGER NOT NULL,
    checksum TEXT NOT NULL,           -- SHA-256, hexadecimal
    created_time INTEGER NOT NULL,
    updated_time INTEGER NOT NULL,
    reviewed_time INTEGER NOT NULL,
    reviewed_by INTEGER NOT NULL,
    reason TEXT NOT NULL,
    comment TEXT NOT NULL,
    expire_time INTEGER NOT NULL,
    version INTEGER NOT NULL
);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    brand TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    kyc_id INTEGER NOT NULL,
    step_id INTEGER NOT NULL,
    document_id INTEGER NOT NULL,
    template_id INTEGER NOT NULL,
    action TEXT NOT NULL,
    actor_id INTEGER NOT NULL,
    actor_session INTEGER NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    comment TEXT NOT NULL,
    old_status INTEGER NOT NULL,
    new_status INTEGER NOT NULL,
    details TEXT NOT NULL             -- JSON
);

CREATE INDEX audit_customer ON audit (customer_id);

-- The feed: seq is gap-free and in the order of truth; record is the record after the change.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    brand TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    kyc_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    record TEXT NOT NULL              -- JSON
);

CREATE TABLE idempotency (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    digest BLOB NOT NULL,
    record_id INTEGER NOT NULL,
    record_version INTEGER NOT NULL,
    time INTEGER NOT NULL
);

CREATE TABLE revocation (
    id INTEGER PRIMARY KEY,
    jti TEXT NOT NULL,
    session INTEGER NOT NULL,
    sub INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    expires INTEGER NOT NULL
);

-- The next free number of each sequence; for audit and event, at least the one after the last row.
CREATE TABLE counter (
    name TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
);

INSERT INTO counter (name, value)
VALUES ('template', 1), ('profile', 1), ('step', 1), ('document', 1), ('audit', 1), ('event', 1);

-- The customer aggregate is a view of the profile, so that the two can never disagree.
CREATE VIEW customer AS
SELECT
    customer_id,
    brand,
    status AS kyc_status,
    current_level AS kyc_current_level,
    required_level AS kyc_required_level,
    risk_level,
    id AS kyc_profile_id,
    updated_time AS kyc_updated_time
FROM profile;

PRAGMA user_version = 1;
