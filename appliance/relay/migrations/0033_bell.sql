-- Where the closed app of a device is rung, in CBOR: its push service's address and the browser's keys, some 300 bytes. An older release
-- does without.
CREATE TABLE bell (
    device INTEGER PRIMARY KEY,
    person INTEGER NOT NULL,
    bell BLOB NOT NULL
) STRICT;
CREATE INDEX bell_of_person ON bell (person);
-- Whether the facility has it on; no row: off.
CREATE TABLE bell_policy (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    is_on INTEGER NOT NULL
) STRICT;
