-- Times are Unix seconds, but where a column's name ends in _ms (milliseconds) or _ns (nanoseconds).
-- Every table of a person's data has the user's id, and no statement on it reads two users.

CREATE TABLE users (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    status          TEXT    NOT NULL CHECK (status IN ('pending', 'active', 'closing')),
    name            TEXT    NOT NULL,
    real_name       TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    phone           TEXT    NOT NULL,
    career          TEXT    NOT NULL DEFAULT '',
    birth_date      TEXT    NOT NULL DEFAULT '',
    name_handle     TEXT    NOT NULL,
    email_handle    TEXT    NOT NULL,
    sealed_password BLOB    NOT NULL,
    credential      INTEGER NOT NULL DEFAULT 1,
    key_revision    INTEGER NOT NULL DEFAULT 0,
    language        INTEGER NOT NULL,
    item_count      INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;

-- What may stand in a login field: folded names and folded emails, which can't meet, as only emails
-- have an @.
CREATE TABLE handles (
    handle  TEXT    NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE key_records (
    user_id             INTEGER NOT NULL PRIMARY KEY,
    revision            INTEGER NOT NULL,
    kdf_type            INTEGER NOT NULL,
    kdf_iterations      INTEGER NOT NULL,
    kdf_memory_mib      INTEGER NOT NULL,
    kdf_parallelism     INTEGER NOT NULL,
    salt                TEXT    NOT NULL,
    sealed_user_key     BLOB    NOT NULL,
    verifier            BLOB    NOT NULL,
    public_key          BLOB    NOT NULL,
    wrapped_private_key TEXT    NOT NULL,
    user_key_id         TEXT    NOT NULL,
    mac                 BLOB    NOT NULL
) STRICT;

CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL,
    token_hash   BLOB    NOT NULL,
    client       TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_by_token ON sessions (user_id, token_hash);

-- One row a purpose and address, whether or not the address is anybody's (then user_id is 0).
CREATE TABLE codes (
    slot       BLOB    NOT NULL PRIMARY KEY,
    user_id    INTEGER NOT NULL,
    code_hash  BLOB    NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    sent_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_by_expiry ON codes (expires_at);

CREATE TABLE items (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id         INTEGER NOT NULL,
    item_key        TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    password        TEXT    NOT NULL,
    sealed_platform TEXT    NOT NULL,
    sealed_url      TEXT    NOT NULL,
    platform        TEXT    NOT NULL,
    platform_folded TEXT    NOT NULL,
    url             TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    mac             BLOB    NOT NULL
) STRICT;
-- The search and the counts read this index only.
CREATE INDEX items_by_user ON items (user_id, id, platform_folded, created_at);

CREATE TABLE item_log (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL,
    item_id    INTEGER NOT NULL,
    action     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX item_log_by_user ON item_log (user_id, id);
CREATE INDEX item_log_by_item ON item_log (user_id, item_id, id, action);

-- Users whose data is to go: closed accounts, registrations that nobody activated, and what is left of
-- those that are erased.
CREATE TABLE erasures (
    user_id INTEGER NOT NULL PRIMARY KEY,
    due_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX erasures_by_due ON erasures (due_at);

CREATE TABLE spent_captchas (
    serial   BLOB    NOT NULL PRIMARY KEY,
    until    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_captchas_by_until ON spent_captchas (until);

-- Buckets (until: when the bucket is full again) and marks of the throttle.
CREATE TABLE throttles (
    key      BLOB    NOT NULL PRIMARY KEY,
    until_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX throttles_by_until ON throttles (until_ns);

CREATE TABLE mail_queue (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    sealed        BLOB    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    due_at_ms     INTEGER NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX mail_queue_by_due ON mail_queue (due_at_ms);

-- What holds for the database as a whole.
CREATE TABLE facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
