-- Who broke the glass: emergency access to a patient's thread. Never removed. Who is let in by one that goes on is a member of the
-- thread as far as the release before can see, which would not end it: that one does not open this file any more.

-- `grounds`: why, in their words. `ended` 0: it goes on, and `ended_at` means nothing. `finding` 0: nobody has reviewed it, and the
-- two columns behind mean nothing; 1: justified, 2: not, 3: nobody looked in time. `reviewed_by`: a person, or 0.
CREATE TABLE emergency_access (
    id          INTEGER NOT NULL PRIMARY KEY,
    encounter   INTEGER NOT NULL REFERENCES encounter (id),
    patient     INTEGER NOT NULL REFERENCES patient (id),
    unit        INTEGER NOT NULL REFERENCES unit (id),
    person      INTEGER NOT NULL REFERENCES person (id),
    grounds     TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    ended       INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    finding     INTEGER NOT NULL,
    reviewed_by INTEGER NOT NULL,
    reviewed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX emergency_access_open ON emergency_access (id) WHERE ended = 0 OR finding = 0;

UPDATE meta SET oldest_reader = 6;
