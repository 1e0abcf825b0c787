-- Legal holds: what must be kept. Never removed. The release before would let what is held expire: that one does not open this file
-- any more.

-- `sort` 1: `subject` is a person, 2: a patient, 3: a conversation. `lifted` 0: it keeps, and what stands behind means nothing.
CREATE TABLE legal_hold (
    id        INTEGER NOT NULL PRIMARY KEY,
    sort      INTEGER NOT NULL,
    subject   INTEGER NOT NULL,
    matter    TEXT    NOT NULL,
    since     INTEGER NOT NULL,
    placed_by INTEGER NOT NULL REFERENCES person (id),
    lifted    INTEGER NOT NULL,
    lifted_at INTEGER NOT NULL,
    lifted_by INTEGER NOT NULL,
    grounds   TEXT    NOT NULL
) STRICT;
CREATE INDEX legal_hold_open ON legal_hold (sort, subject) WHERE lifted = 0;
CREATE INDEX encounter_patient ON encounter (patient);

UPDATE meta SET oldest_reader = 7;
