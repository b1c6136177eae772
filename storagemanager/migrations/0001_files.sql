CREATE TABLE files (
    id            INTEGER PRIMARY KEY,
    uuid          TEXT    NOT NULL UNIQUE,
    original_name TEXT    NOT NULL,
    extension     TEXT    NOT NULL,
    signature     TEXT    NOT NULL,
    content_type  TEXT    NOT NULL,
    declared_type TEXT    NOT NULL,
    file_size     INTEGER NOT NULL CHECK (file_size > 0),
    checksum      TEXT    NOT NULL,
    scope         INTEGER NOT NULL,
    purpose       TEXT    NOT NULL,
    owner_kind    TEXT    NOT NULL,
    owner_id      INTEGER NOT NULL,
    brand         TEXT    NOT NULL,
    created_time  INTEGER NOT NULL,
    pins          INTEGER NOT NULL CHECK (pins >= 0),
    loose_since   INTEGER NOT NULL,
    row_check     TEXT    NOT NULL
) STRICT;

-- Expiry reads only what nothing holds.
CREATE INDEX files_loose ON files (loose_since) WHERE pins = 0;
