-- Units, who works where, and their channels. A channel is a kind of conversation that the release before does not know, so
-- that one does not open this file any more. Columns have defaults, for rows that are there already: every row that is written
-- says what is in them.

CREATE TABLE unit (
    id      INTEGER NOT NULL PRIMARY KEY,
    name    TEXT    NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

-- `charge_nurse` 0: works there; 1: leads it.
CREATE TABLE post (
    person       INTEGER NOT NULL REFERENCES person (id),
    unit         INTEGER NOT NULL REFERENCES unit (id),
    charge_nurse INTEGER NOT NULL,
    PRIMARY KEY (person, unit)
) STRICT, WITHOUT ROWID;

-- `issued`: the change that brought it.
ALTER TABLE join_code ADD COLUMN issued INTEGER NOT NULL DEFAULT 0;

ALTER TABLE person ADD COLUMN privacy_officer INTEGER NOT NULL DEFAULT 0;

-- `unit`: of a channel; 0 of anything else, and so no reference: what opens the store looks.
ALTER TABLE conversation ADD COLUMN unit INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;

UPDATE meta SET oldest_reader = 2;
