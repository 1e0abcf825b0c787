-- What people say of when they want to be disturbed, in CBOR; of whoever says nothing there is no row.
CREATE TABLE availability (
    person INTEGER NOT NULL PRIMARY KEY,
    said   BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- Whether a STAT rings for the cover instead (1), where anybody said so: one row, of id 0.
CREATE TABLE cover_policy (
    id            INTEGER NOT NULL PRIMARY KEY,
    cover_instead INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
