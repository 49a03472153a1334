-- The rows of uploaded backups. The blob is the name of the age file that holds one; header_size and
-- header_hash (SHA-256) are of its age header and the nonce behind it, and bind the blob to the row.
CREATE TABLE versions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id     INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    sha256      BLOB    NOT NULL,
    blob        TEXT    NOT NULL,
    header_size INTEGER NOT NULL,
    header_hash BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    mac         BLOB    NOT NULL
) STRICT;
CREATE INDEX versions_by_user ON versions (user_id, id);
CREATE UNIQUE INDEX versions_by_blob ON versions (blob);
