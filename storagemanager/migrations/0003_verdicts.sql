-- What was decided of files in which something active was found; a file without a row here had nothing in it.
CREATE TABLE verdicts (
    uuid         TEXT    NOT NULL PRIMARY KEY REFERENCES files (uuid) ON DELETE CASCADE,
    state        TEXT    NOT NULL,
    findings     TEXT    NOT NULL,
    decided_time INTEGER NOT NULL,
    confirmed    INTEGER NOT NULL,  -- 0 until the decision is known to be written down elsewhere too
    row_check    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX verdicts_decided ON verdicts (uuid) WHERE confirmed = 0;
