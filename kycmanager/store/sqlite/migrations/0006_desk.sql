-- The reviewers' desk: who works on which case, what they have written down, and the filters they keep.

-- A lease, which ends by itself; there is no row for a case nobody has claimed.
CREATE TABLE claim (
    kyc_id INTEGER PRIMARY KEY REFERENCES profile (id),
    assignee INTEGER NOT NULL,        -- the sub of the session
    assignee_session INTEGER NOT NULL,
    claimed_time INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    sum BLOB NOT NULL
);

-- Only ever added to; the customer and the brand are those of the profile.
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    kyc_id INTEGER NOT NULL REFERENCES profile (id),
    time INTEGER NOT NULL,
    author_id INTEGER NOT NULL,
    author_session INTEGER NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,            -- JSON: {"text": ...}; a BLOB where it is sealed
    sum BLOB NOT NULL
);

CREATE TABLE queue_filter (
    session INTEGER NOT NULL,
    sub INTEGER NOT NULL,
    name TEXT NOT NULL,
    updated_time INTEGER NOT NULL,
    filter TEXT NOT NULL,             -- JSON: what MngGetKycQueue is asked
    sum BLOB NOT NULL,
    PRIMARY KEY (session, sub, name)
) WITHOUT ROWID;

INSERT INTO counter (name, value)
VALUES ('note', 1);

PRAGMA user_version = 6;
