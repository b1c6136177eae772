-- Each row carries a checksum of its columns, and the audit a chain of hashes: what is changed behind the daemon's back
-- is noticed and named. The program fills both in, in the transaction of this migration.

ALTER TABLE template ADD COLUMN sum BLOB NOT NULL DEFAULT x'';
ALTER TABLE template_text ADD COLUMN sum BLOB NOT NULL DEFAULT x'';
ALTER TABLE profile ADD COLUMN sum BLOB NOT NULL DEFAULT x'';
ALTER TABLE step ADD COLUMN sum BLOB NOT NULL DEFAULT x'';
ALTER TABLE document ADD COLUMN sum BLOB NOT NULL DEFAULT x'';
ALTER TABLE audit ADD COLUMN sum BLOB NOT NULL DEFAULT x'';
ALTER TABLE feed ADD COLUMN sum BLOB NOT NULL DEFAULT x'';
ALTER TABLE idempotency ADD COLUMN sum BLOB NOT NULL DEFAULT x'';
ALTER TABLE revocation ADD COLUMN sum BLOB NOT NULL DEFAULT x'';

-- A link for each batch: the SHA-256 of the hash before it and of its rows, first_id to last_id.
CREATE TABLE audit_link (
    id INTEGER PRIMARY KEY,           -- without gaps
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    hash BLOB NOT NULL
);

PRAGMA user_version = 3;
