-- Templates and quick replies of units, and of the facility (unit 0), in CBOR; where none were set there is no row.
CREATE TABLE template_set (
    unit    INTEGER NOT NULL PRIMARY KEY,
    content BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
