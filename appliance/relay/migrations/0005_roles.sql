-- Roles, and who holds them when. A policy may ring a role, which the release before cannot read, so that one does not open this
-- file any more.

-- `rota`: CBOR, see the core's `rota`. Never removed.
CREATE TABLE role (
    id      INTEGER NOT NULL PRIMARY KEY,
    unit    INTEGER NOT NULL REFERENCES unit (id),
    name    TEXT    NOT NULL,
    rota    BLOB    NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

UPDATE meta SET oldest_reader = 5;
