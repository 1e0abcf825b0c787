-- The store's first schema. Migrations are only ever appended: a released one is never edited.
--
-- A box has two images, and falls back to the older one when the newer does not come up: so a migration either lets the
-- release before it read and write the file as it always did (a new table, a new index, a column with a default that is
-- right for rows the older release adds), or it sets meta.oldest_reader to its own number.
--
-- Every table is STRICT and NOT NULL. There is no trigger, no clock and no randomness in here: what a row holds came in
-- a write, so the same writes make the same rows on every box.

-- One row: where the log of writes stands. `app` names the release that last migrated, for people. `oldest_reader`: a
-- release whose newest migration has a lower number does not open this file. `filed`: messages up to this change are in
-- message_place and message_number.
CREATE TABLE meta (
    id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    change        INTEGER NOT NULL,
    audited       INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    filed         INTEGER NOT NULL,
    app           TEXT    NOT NULL,
    oldest_reader INTEGER NOT NULL
) STRICT;
INSERT INTO meta (id, change, audited, last_at, filed, app, oldest_reader) VALUES (1, 0, 0, 0, 0, '', 1);

CREATE TABLE person (
    id            INTEGER NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    title         TEXT    NOT NULL,
    administrator INTEGER NOT NULL,
    suspended     INTEGER NOT NULL,
    changed       INTEGER NOT NULL
) STRICT;
CREATE INDEX person_changed ON person (changed);

-- `number_floor`: the highest number among its messages that were deleted (or that it joined with). The highest number
-- accepted is the greater of this and of the messages still here.
-- `session_open` 0: no session, and `session_until` means nothing.
CREATE TABLE device (
    id            INTEGER NOT NULL PRIMARY KEY,
    person        INTEGER NOT NULL REFERENCES person (id),
    name          TEXT    NOT NULL,
    key           BLOB    NOT NULL,
    salt          BLOB    NOT NULL,
    pin           BLOB    NOT NULL,
    pin_tries     INTEGER NOT NULL,
    revoked       INTEGER NOT NULL,
    session_open  INTEGER NOT NULL,
    session_until INTEGER NOT NULL,
    number_floor  INTEGER NOT NULL
) STRICT;

-- `issuer`: a person, or 0 for a service of the box.
CREATE TABLE join_code (
    hash    BLOB    NOT NULL PRIMARY KEY,
    person  INTEGER NOT NULL REFERENCES person (id),
    expires INTEGER NOT NULL,
    issuer  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `member_changed`: the newest change of any of its members, watermarks included. Lets a catch-up pass by the members of
-- a conversation in which nobody has read anything.
CREATE TABLE conversation (
    id             INTEGER NOT NULL PRIMARY KEY,
    kind           INTEGER NOT NULL,
    title          TEXT    NOT NULL,
    owner          INTEGER NOT NULL REFERENCES person (id),
    opened_at      INTEGER NOT NULL,
    changed        INTEGER NOT NULL,
    last           INTEGER NOT NULL,
    last_change    INTEGER NOT NULL,
    first          INTEGER NOT NULL,
    purged         INTEGER NOT NULL,
    member_changed INTEGER NOT NULL
) STRICT;

-- Keys apart from what they open: a backup can leave this table out, and a purge is one row less.
CREATE TABLE conversation_key (
    conversation INTEGER NOT NULL PRIMARY KEY REFERENCES conversation (id),
    wrapped      BLOB    NOT NULL
) STRICT;

CREATE TABLE member (
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    person       INTEGER NOT NULL REFERENCES person (id),
    starts       INTEGER NOT NULL,
    delivered    INTEGER NOT NULL,
    read         INTEGER NOT NULL,
    gone         INTEGER NOT NULL,
    changed      INTEGER NOT NULL,
    PRIMARY KEY (conversation, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_present ON member (person) WHERE gone = 0;
CREATE INDEX member_gone ON member (person, changed) WHERE gone = 1;

-- The change is the rowid, so messages are appended and an index on anything holds the change for nothing.
CREATE TABLE message (
    change       INTEGER NOT NULL PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    sequence     INTEGER NOT NULL,
    id           BLOB    NOT NULL,
    sender       INTEGER NOT NULL REFERENCES person (id),
    device       INTEGER NOT NULL REFERENCES device (id),
    number       INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    body         BLOB    NOT NULL
) STRICT;

-- Where messages are in their conversations, with the size of their bodies, so that a catch-up can be cut into readings
-- before it reads any; and under which numbers of their devices they came. No indices: those would
-- dirty two pages for nearly every message. Both take messages many at a time, whenever the log of writes passes a round
-- number, so that they and `meta.filed` are the same however writes were cut into batches. The places of newer messages
-- are in message_recent, which is a few pages; their numbers are read from the messages when the store opens.
CREATE TABLE message_place (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    change       INTEGER NOT NULL,
    size         INTEGER NOT NULL,
    PRIMARY KEY (conversation, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE message_recent (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    change       INTEGER NOT NULL,
    size         INTEGER NOT NULL,
    PRIMARY KEY (conversation, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE message_number (
    device INTEGER NOT NULL,
    number INTEGER NOT NULL,
    change INTEGER NOT NULL,
    PRIMARY KEY (device, number)
) STRICT, WITHOUT ROWID;

-- How long the box had served, milliseconds, at some changes: tells the age of messages. The last 64.
CREATE TABLE retention_mark (
    change INTEGER NOT NULL PRIMARY KEY,
    served INTEGER NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    entry_index INTEGER NOT NULL PRIMARY KEY,
    bytes       BLOB    NOT NULL
) STRICT;
