-- The tables of migrations/sqlite, of the same names and columns. What differs is said here.
--
-- Ids come from sequences of the tables' names. Each key of a person's table begins with the user's id,
-- and so does each index of it, so that the tables can be spread over machines by it. Text that is looked
-- up or indexed compares by its bytes, which no upgrade of a system's locales can change. Rows that are
-- changed often leave room in their page for the next state.

CREATE SEQUENCE users_id;
CREATE TABLE users (
    id              BIGINT NOT NULL PRIMARY KEY DEFAULT nextval('users_id'),
    status          TEXT   NOT NULL CHECK (status IN ('pending', 'active', 'closing')),
    name            TEXT   NOT NULL,
    real_name       TEXT   NOT NULL,
    email           TEXT   NOT NULL,
    phone           TEXT   NOT NULL,
    career          TEXT   NOT NULL DEFAULT '',
    birth_date      TEXT   NOT NULL DEFAULT '',
    name_handle     TEXT   NOT NULL,
    email_handle    TEXT   NOT NULL,
    sealed_password BYTEA  NOT NULL,
    credential      BIGINT NOT NULL DEFAULT 1,
    key_revision    BIGINT NOT NULL DEFAULT 0,
    language        BIGINT NOT NULL,
    item_count      BIGINT NOT NULL DEFAULT 0,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE handles (
    handle  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL
);

CREATE TABLE key_records (
    user_id             BIGINT NOT NULL PRIMARY KEY,
    revision            BIGINT NOT NULL,
    kdf_type            BIGINT NOT NULL,
    kdf_iterations      BIGINT NOT NULL,
    kdf_memory_mib      BIGINT NOT NULL,
    kdf_parallelism     BIGINT NOT NULL,
    salt                TEXT   NOT NULL,
    sealed_user_key     BYTEA  NOT NULL,
    verifier            BYTEA  NOT NULL,
    public_key          BYTEA  NOT NULL,
    wrapped_private_key TEXT   NOT NULL,
    user_key_id         TEXT   NOT NULL,
    mac                 BYTEA  NOT NULL
);

CREATE SEQUENCE sessions_id;
CREATE TABLE sessions (
    id           BIGINT NOT NULL DEFAULT nextval('sessions_id'),
    user_id      BIGINT NOT NULL,
    token_hash   BYTEA  NOT NULL,
    client       TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (user_id, id)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX sessions_by_token ON sessions (user_id, token_hash);

CREATE TABLE codes (
    slot       BYTEA  NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL,
    code_hash  BYTEA  NOT NULL,
    tries      BIGINT NOT NULL DEFAULT 0,
    sent_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX codes_by_expiry ON codes (expires_at);

-- No index holds the text that is searched, as an entry must be shorter than a platform may be.
CREATE SEQUENCE items_id;
CREATE TABLE items (
    id              BIGINT NOT NULL DEFAULT nextval('items_id'),
    user_id         BIGINT NOT NULL,
    item_key        TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    email           TEXT   NOT NULL,
    password        TEXT   NOT NULL,
    sealed_platform TEXT   NOT NULL,
    sealed_url      TEXT   NOT NULL,
    platform        TEXT   NOT NULL,
    platform_folded TEXT COLLATE "C" NOT NULL,
    url             TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    mac             BYTEA  NOT NULL,
    PRIMARY KEY (user_id, id)
);

CREATE SEQUENCE item_log_id;
CREATE TABLE item_log (
    id         BIGINT NOT NULL DEFAULT nextval('item_log_id'),
    user_id    BIGINT NOT NULL,
    item_id    BIGINT NOT NULL,
    action     BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX item_log_by_item ON item_log (user_id, item_id, id, action);

CREATE TABLE erasures (
    user_id BIGINT NOT NULL PRIMARY KEY,
    due_at  BIGINT NOT NULL
);
CREATE INDEX erasures_by_due ON erasures (due_at);

CREATE TABLE spent_captchas (
    serial BYTEA  NOT NULL PRIMARY KEY,
    until  BIGINT NOT NULL
);
CREATE INDEX spent_captchas_by_until ON spent_captchas (until);

-- Also a bucket that is full has a row once it was locked; its until_ns is 0 then.
CREATE TABLE throttles (
    key      BYTEA  NOT NULL PRIMARY KEY,
    until_ns BIGINT NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX throttles_by_until ON throttles (until_ns);

CREATE SEQUENCE mail_queue_id;
CREATE TABLE mail_queue (
    id            BIGINT NOT NULL PRIMARY KEY DEFAULT nextval('mail_queue_id'),
    sealed        BYTEA  NOT NULL,
    created_at_ms BIGINT NOT NULL,
    due_at_ms     BIGINT NOT NULL,
    attempts      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX mail_queue_by_due ON mail_queue (due_at_ms);

CREATE TABLE facts (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
