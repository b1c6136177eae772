-- What was counted of the event feed. All of it can be counted anew from there.

CREATE TABLE tally (
    brand TEXT NOT NULL,
    day INTEGER NOT NULL,             -- of UTC, counted from 1970
    counts TEXT NOT NULL,             -- JSON
    sum BLOB NOT NULL,
    PRIMARY KEY (brand, day)
) WITHOUT ROWID;

-- One row, written with the tallies: how far they go.
CREATE TABLE tally_mark (
    version INTEGER PRIMARY KEY,      -- of the counting
    cursor INTEGER NOT NULL,          -- the number of the last event that is in the tallies
    touched TEXT NOT NULL,            -- JSON: the waiting steps that somebody has looked at by then
    sum BLOB NOT NULL
);

PRAGMA user_version = 9;
