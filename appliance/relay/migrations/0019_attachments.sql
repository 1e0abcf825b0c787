-- Photos, documents and audio notes. Their bytes are in files of their own beside this one, `attachments/`, each named by the change that
-- began it and sealed under a key of its own, which is in here, under its conversation's key: a row less, and the file is noise. The
-- release before would let messages expire and conversations be purged without their files: it does not open this file any more.

-- `file`: the change that began it. `upload`: the name that its device gave it. `done` 1: it is there whole. `sequence`: of the message
-- that has it; 0: none has, and the rest means nothing. `place`: the how many-eth of that message, from 0. `title`: its name, sealed.
-- `attached`: the change that gave it to the message. `thumbnail`: sealed; empty: none.
CREATE TABLE attachment (
    file         INTEGER NOT NULL PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    person       INTEGER NOT NULL REFERENCES person (id),
    device       INTEGER NOT NULL REFERENCES device (id),
    upload       BLOB    NOT NULL,
    media        INTEGER NOT NULL,
    length       INTEGER NOT NULL,
    sha256       BLOB    NOT NULL,
    at           INTEGER NOT NULL,
    done         INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    place        INTEGER NOT NULL,
    attached     INTEGER NOT NULL,
    key          BLOB    NOT NULL,
    title        BLOB    NOT NULL,
    thumbnail    BLOB    NOT NULL
) STRICT;
CREATE INDEX attachment_of ON attachment (conversation, sequence);
CREATE INDEX attachment_open ON attachment (device, upload) WHERE sequence = 0;

-- How many a message has, so that whoever reads messages looks for none where there is none.
ALTER TABLE message ADD COLUMN files INTEGER NOT NULL DEFAULT 0;

-- One row, once somebody said: the largest file of each sort in bytes, or 0.
CREATE TABLE attachment_policy (
    id       INTEGER NOT NULL PRIMARY KEY,
    photo    INTEGER NOT NULL,
    document INTEGER NOT NULL,
    audio    INTEGER NOT NULL
) STRICT;

UPDATE meta SET oldest_reader = 19;
