-- Tasks, each about one message, in CBOR: how it stands, never what is to be done. A row goes with its message. `open`: 1 while somebody
-- may do it still. Some 150 bytes each.
CREATE TABLE task (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    open         INTEGER NOT NULL,
    changed      INTEGER NOT NULL,
    content      BLOB    NOT NULL,
    PRIMARY KEY (conversation, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_changed ON task (changed);
CREATE INDEX task_open ON task (conversation, sequence) WHERE open = 1;

-- The release before would leave tasks behind of messages that it lets go. It does not open this file any more.
UPDATE meta SET oldest_reader = 22;
