-- Whose a blob is: kept by the blob's name, as that is all that a sweep knows of one.
CREATE TABLE blobs (
    name    TEXT    NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO blobs (name, user_id) SELECT blob, user_id FROM versions;
DROP INDEX versions_by_blob;

-- What one of all replicas does at a time, by its name.
CREATE TABLE leases (
    name     TEXT    NOT NULL PRIMARY KEY,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
