-- Customers of Stellar wallets: what they are known by, where their wallets want to be told, and codes they confirm.

-- The id begins at sep12.customer_id_base; the customer is the same number until the CRM links it to its own.
CREATE TABLE identity (
    id INTEGER PRIMARY KEY,
    brand TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    account TEXT NOT NULL,            -- G... or C...; a muxed account is its G and a memo of type id
    memo_type TEXT NOT NULL,          -- id, text or hash; empty = no memo
    memo TEXT NOT NULL,               -- a hash in base64
    created_time INTEGER NOT NULL,
    updated_time INTEGER NOT NULL,
    version INTEGER NOT NULL,
    sum BLOB NOT NULL,
    UNIQUE (brand, account, memo_type, memo)
);

CREATE TABLE callback (
    id INTEGER PRIMARY KEY,           -- that of the identity
    brand TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    url TEXT NOT NULL,
    account TEXT NOT NULL,
    memo_type TEXT NOT NULL,
    memo TEXT NOT NULL,
    type TEXT NOT NULL,               -- as the wallet asks for its customer
    lang TEXT NOT NULL,
    created_time INTEGER NOT NULL,
    updated_time INTEGER NOT NULL,
    version INTEGER NOT NULL,
    sum BLOB NOT NULL
);

-- Answered challenges of SEP-10: one token each, until they run out.
CREATE TABLE challenge (
    digest BLOB PRIMARY KEY NOT NULL,
    expires INTEGER NOT NULL,
    sum BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE verification (
    id INTEGER PRIMARY KEY,
    kyc_id INTEGER NOT NULL REFERENCES profile (id),
    field TEXT NOT NULL,
    subject BLOB NOT NULL,            -- SHA-256 of the value that is confirmed, or is to be
    salt BLOB NOT NULL,
    digest BLOB NOT NULL,             -- of the code; empty = none is open
    attempts INTEGER NOT NULL,
    sends INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    sent_time INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    confirmed_time INTEGER NOT NULL,
    sum BLOB NOT NULL,
    UNIQUE (kyc_id, field)
);

INSERT INTO counter (name, value)
VALUES ('identity', 1), ('verification', 1), ('code', 1);

PRAGMA user_version = 8;
