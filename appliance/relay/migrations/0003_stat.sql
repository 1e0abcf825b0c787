-- How urgent a message is, station screens, and STATs with their escalations. The release before this one would take a STAT
-- for a message like any other and never ring for it, so it does not open this file any more. Columns have defaults, for rows
-- that are there already: every row that is written says what is in them.

ALTER TABLE message ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;

-- `station`: the unit whose screen this is; 0: a person.
ALTER TABLE person ADD COLUMN station INTEGER NOT NULL DEFAULT 0;

-- `unit` 0: none, `policy`: the one it follows, CBOR. `stage` 0: rings, 1: held, 2: answered, 3: closed; the next five are what
-- each of these has, and 0 where it has none. Closed ones stay until their message goes.
CREATE TABLE escalation (
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    sequence     INTEGER NOT NULL,
    sender       INTEGER NOT NULL REFERENCES person (id),
    unit         INTEGER NOT NULL,
    policy       BLOB    NOT NULL,
    opened       INTEGER NOT NULL,
    stage        INTEGER NOT NULL,
    step         INTEGER NOT NULL,
    since        INTEGER NOT NULL,
    by_person    INTEGER NOT NULL,
    passed       INTEGER NOT NULL,
    noted_by     INTEGER NOT NULL,
    changed      INTEGER NOT NULL,
    PRIMARY KEY (conversation, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX escalation_changed ON escalation (changed);
CREATE INDEX escalation_open ON escalation (conversation, sequence) WHERE stage <> 3;

-- For whom it has rung. `declined`: why they cannot; 0: they have not said so.
CREATE TABLE escalation_rung (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    person       INTEGER NOT NULL REFERENCES person (id),
    step         INTEGER NOT NULL,
    declined     INTEGER NOT NULL,
    has_held     INTEGER NOT NULL,
    PRIMARY KEY (conversation, sequence, person)
) STRICT, WITHOUT ROWID;

-- `unit` 0: the facility's. CBOR.
CREATE TABLE escalation_policy (
    unit   INTEGER NOT NULL PRIMARY KEY,
    policy BLOB    NOT NULL
) STRICT;

UPDATE meta SET oldest_reader = 3;
