-- Exports of a patient's (`sort` 2) or a person's record (1): who began one, of whom, when, and why. What was given is in the audit.
CREATE TABLE record_export (
    id       INTEGER NOT NULL PRIMARY KEY,
    sort     INTEGER NOT NULL,
    subject  INTEGER NOT NULL,
    begun_by INTEGER NOT NULL REFERENCES person (id),
    grounds  TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
