-- Patients, their stays, care teams and assignments, and the threads of stays. A patient's thread is a kind of conversation that
-- the release before does not know, so that one does not open this file any more.

-- A patient's thread is nobody's: `owner` is 0 for it, and so no reference any more. SQLite cannot take a reference off a
-- column; the column goes and comes back.
ALTER TABLE conversation ADD COLUMN opener INTEGER NOT NULL DEFAULT 0;
UPDATE conversation SET opener = owner;
ALTER TABLE conversation DROP COLUMN owner;
ALTER TABLE conversation RENAME COLUMN opener TO owner;

-- `record`: unique; the core sees to it, since two patients may change numbers within one batch. `birth`: "1947-03-09".
-- `sex`: HL7's letter.
CREATE TABLE patient (
    id      INTEGER NOT NULL PRIMARY KEY,
    record  TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    birth   TEXT    NOT NULL,
    sex     TEXT    NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

-- `attending`: a person, or 0. `standing` 0: in the bed; 1: on leave; 2: discharged, since `discharged_at`. `closed` 0: the
-- thread takes messages, and `closed_at` means nothing. `filed` 1: put away, and kept for who looks back.
CREATE TABLE encounter (
    id            INTEGER NOT NULL PRIMARY KEY,
    patient       INTEGER NOT NULL REFERENCES patient (id),
    unit          INTEGER NOT NULL REFERENCES unit (id),
    bed           TEXT    NOT NULL,
    attending     INTEGER NOT NULL,
    standing      INTEGER NOT NULL,
    discharged_at INTEGER NOT NULL,
    thread        INTEGER NOT NULL REFERENCES conversation (id),
    closed        INTEGER NOT NULL,
    closed_at     INTEGER NOT NULL,
    admitted      INTEGER NOT NULL,
    changed       INTEGER NOT NULL,
    filed         INTEGER NOT NULL
) STRICT;
CREATE INDEX encounter_kept ON encounter (thread) WHERE filed = 0;

-- Who is in a care team by hand. `ends` 0: until somebody ends it, and `until` means nothing.
CREATE TABLE care_team (
    encounter INTEGER NOT NULL REFERENCES encounter (id),
    person    INTEGER NOT NULL REFERENCES person (id),
    since     INTEGER NOT NULL,
    ends      INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    PRIMARY KEY (encounter, person)
) STRICT, WITHOUT ROWID;

-- Assignments that have not ended. One with no bed is of the whole unit.
CREATE TABLE assignment (
    id     INTEGER NOT NULL PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person (id),
    unit   INTEGER NOT NULL REFERENCES unit (id),
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL
) STRICT;
CREATE TABLE assignment_bed (
    assignment INTEGER NOT NULL REFERENCES assignment (id),
    bed        TEXT    NOT NULL,
    PRIMARY KEY (assignment, bed)
) STRICT, WITHOUT ROWID;

-- Whose patients lay in its beds since it began.
CREATE TABLE assignment_cover (
    assignment INTEGER NOT NULL REFERENCES assignment (id),
    encounter  INTEGER NOT NULL REFERENCES encounter (id),
    PRIMARY KEY (assignment, encounter)
) STRICT, WITHOUT ROWID;

UPDATE meta SET oldest_reader = 4;
