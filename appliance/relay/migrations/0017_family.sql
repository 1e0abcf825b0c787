-- Family threads: a patient's consent, who is not to be let in, the code at the bed, whoever waits, whoever was let in, and the threads.

-- `visitor`: CBOR, see the core's `family`; empty: of the staff.
ALTER TABLE person ADD COLUMN visitor BLOB NOT NULL DEFAULT x'';

-- What each of these holds besides its key is CBOR, see the core's `family`. A consent, list, code or request that is over is removed.
CREATE TABLE family_consent (
    encounter INTEGER NOT NULL PRIMARY KEY REFERENCES encounter (id),
    consent   BLOB    NOT NULL
) STRICT;
CREATE TABLE family_block (
    patient INTEGER NOT NULL PRIMARY KEY REFERENCES patient (id),
    blocked BLOB    NOT NULL
) STRICT;
CREATE TABLE bedside_code (
    encounter INTEGER NOT NULL PRIMARY KEY REFERENCES encounter (id),
    code      BLOB    NOT NULL
) STRICT;
CREATE TABLE visit_request (
    device  INTEGER NOT NULL PRIMARY KEY,
    request BLOB    NOT NULL
) STRICT;

-- Never removed. `own`: the patient's.
CREATE TABLE family_thread (
    conversation INTEGER NOT NULL PRIMARY KEY REFERENCES conversation (id),
    encounter    INTEGER NOT NULL REFERENCES encounter (id),
    patient      INTEGER NOT NULL REFERENCES patient (id),
    own          INTEGER NOT NULL
) STRICT;
CREATE INDEX family_thread_patient ON family_thread (patient);

-- The release before would list visitors in the directory: it does not open this file any more.
UPDATE meta SET oldest_reader = 17;
