-- What is written to roles: a conversation of a writer and a role; and when nobody will hold a role, as its charge nurses were told, in
-- CBOR. Where there is no such time there is no row.
CREATE TABLE role_inbox (
    conversation INTEGER NOT NULL PRIMARY KEY,
    role         INTEGER NOT NULL,
    writer       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE role_gap (
    role INTEGER NOT NULL PRIMARY KEY,
    gaps BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- A release before this would show its conversations to nobody, and open others beside them.
UPDATE meta SET oldest_reader = 24;
