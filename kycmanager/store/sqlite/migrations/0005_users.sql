-- Who signs in to the pages, and their sign-ins. Both carry a checksum like every row.

CREATE TABLE user (
    id INTEGER PRIMARY KEY,           -- the subject of the sessions; never used again
    name TEXT NOT NULL,               -- of those that are not removed, each has another
    role INTEGER NOT NULL,            -- 1 manager, 3 admin, 10 crm_manager, 11 crm_admin
    brands TEXT NOT NULL,             -- JSON: a list, or null = all
    status INTEGER NOT NULL,          -- 0 active, 1 disabled, 2 removed
    password TEXT NOT NULL,           -- argon2id with its parameters; empty once removed
    totp BLOB NOT NULL,               -- the secret of the one-time codes; empty = none are asked
    totp_counter INTEGER NOT NULL,    -- the last half minute whose code was used
    created_time INTEGER NOT NULL,
    updated_time INTEGER NOT NULL,
    version INTEGER NOT NULL,
    sum BLOB NOT NULL
);

CREATE TABLE login (
    id INTEGER PRIMARY KEY,
    cookie_hash BLOB NOT NULL,        -- SHA-256 of what the cookie holds
    user_id INTEGER NOT NULL,         -- 0 = by a token
    session INTEGER NOT NULL,
    sub INTEGER NOT NULL,
    brands TEXT NOT NULL,             -- JSON: those of the token
    jti TEXT NOT NULL,
    issued INTEGER NOT NULL,
    created_time INTEGER NOT NULL,
    used_time INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    sum BLOB NOT NULL
);

INSERT INTO counter (name, value)
VALUES ('login', 1);

PRAGMA user_version = 5;
