-- Which steps have which answers, by keyed hashes. All of it can be made anew from the answers.

CREATE TABLE lookup (
    step_id INTEGER PRIMARY KEY REFERENCES step (id),
    digests BLOB NOT NULL,            -- 16 bytes each, sorted
    sum BLOB NOT NULL
);

-- One row where there is an index: what it holds.
CREATE TABLE lookup_mark (
    version INTEGER PRIMARY KEY,      -- of what is hashed, and how
    key BLOB NOT NULL,                -- the id of the key in bases/keys.db; empty = answers stand in clear
    fields TEXT NOT NULL,             -- JSON: the fields whose answers are indexed
    cursor INTEGER NOT NULL,          -- the last profile that is, -1 = all
    sum BLOB NOT NULL
);

PRAGMA user_version = 10;
