-- What devices signed about STATs, in CBOR, with the key that verifies it: the newest 32 of each. A row goes with its message. Some 250
-- bytes each.
CREATE TABLE stat_signed (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    change       INTEGER NOT NULL,
    answer       BLOB    NOT NULL,
    PRIMARY KEY (conversation, sequence, change)
) STRICT, WITHOUT ROWID;

-- By which call note a STAT is answered, in CBOR; empty: by none.
ALTER TABLE escalation ADD COLUMN note BLOB NOT NULL DEFAULT x'';

-- The release before would leave answers behind of messages that it lets go. It does not open this file any more.
UPDATE meta SET oldest_reader = 27;
