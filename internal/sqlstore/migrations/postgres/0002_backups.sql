CREATE SEQUENCE versions_id;
CREATE TABLE versions (
    id          BIGINT NOT NULL DEFAULT nextval('versions_id'),
    user_id     BIGINT NOT NULL,
    name        TEXT   NOT NULL,
    size        BIGINT NOT NULL,
    sha256      BYTEA  NOT NULL,
    blob        TEXT   NOT NULL,
    header_size BIGINT NOT NULL,
    header_hash BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL,
    mac         BYTEA  NOT NULL,
    PRIMARY KEY (user_id, id)
);
