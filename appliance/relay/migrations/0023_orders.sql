-- Orders by text, each about one message, in CBOR: how it stands, never what is to be done. A row goes with its message. `open`: 1 until it
-- is filed in the record. Some 150 bytes each.
CREATE TABLE given_order (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    open         INTEGER NOT NULL,
    changed      INTEGER NOT NULL,
    content      BLOB    NOT NULL,
    PRIMARY KEY (conversation, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX given_order_changed ON given_order (changed);
CREATE INDEX given_order_open ON given_order (conversation, sequence) WHERE open = 1;

-- What devices signed about them, in CBOR, with the key that verifies it. `said`: the message that says it; 0: none does. A row goes with the
-- later of the two. Some 330 bytes each.
CREATE TABLE order_signed (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    change       INTEGER NOT NULL,
    said         INTEGER NOT NULL,
    content      BLOB    NOT NULL,
    PRIMARY KEY (conversation, sequence, change)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_signed_said ON order_signed (conversation, said) WHERE said <> 0;

-- The roles whose orders count: eight bytes each, in order. Unit 0 is the facility.
CREATE TABLE order_policy (
    unit  INTEGER NOT NULL PRIMARY KEY,
    roles BLOB    NOT NULL
) STRICT;

-- The release before would let messages go of orders that are not filed. It does not open this file any more.
UPDATE meta SET oldest_reader = 23 WHERE oldest_reader < 23;
