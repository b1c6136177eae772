-- Answers may be sealed: then `step.answers` is a BLOB, and stands so in the feed too. Files are sealed with a key each.

-- The data key of each sealed file that a profile holds, sealed by the key of that profile.
CREATE TABLE file_key (
    file_id TEXT PRIMARY KEY NOT NULL,
    kyc_id INTEGER NOT NULL REFERENCES profile (id),
    wrapped BLOB NOT NULL
) WITHOUT ROWID;

-- Which base of keys (bases/keys.db) belongs to this one: no row as long as nothing was ever sealed.
CREATE TABLE vault (
    id BLOB NOT NULL
);

PRAGMA user_version = 4;
