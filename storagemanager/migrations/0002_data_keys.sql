-- The data keys of sealed files; a file without a row here is in clear. A key is its own proof: it opens or it does not.
CREATE TABLE data_key (
    uuid    TEXT NOT NULL PRIMARY KEY REFERENCES files (uuid) ON DELETE CASCADE,
    wrapped BLOB NOT NULL  -- empty once somebody else holds it
) STRICT, WITHOUT ROWID;

-- Those not yet held elsewhere are few: uploads that wait to be attached.
CREATE INDEX data_key_kept ON data_key (uuid) WHERE wrapped <> x'';
