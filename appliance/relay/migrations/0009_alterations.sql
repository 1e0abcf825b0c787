-- What its author does to a message after it was said: edits and recalls; and replies. The release before would take the body of an
-- edited message for one that does not open, and show a recalled one as blank, so that one does not open this file any more. Columns
-- have defaults, for rows that are there already: every row that is written says what is in them.

-- `reply_to`: a sequence of the same conversation, or 0. `edits`: how often. `recalled` 1: there is no body any more. `altered_at`: when
-- it was last edited, or recalled; 0: never.
ALTER TABLE message ADD COLUMN reply_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN edits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN recalled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN altered_at INTEGER NOT NULL DEFAULT 0;

-- Messages that were altered, by the change that last did it, for whoever catches up: few beside all messages. `change` and `size`: of
-- the message, as in message_place. `edit`: the last edit's name, which answers a retry; empty: never edited.
CREATE TABLE message_altered (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    change       INTEGER NOT NULL,
    size         INTEGER NOT NULL,
    altered      INTEGER NOT NULL,
    edit         BLOB    NOT NULL,
    PRIMARY KEY (conversation, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_altered_by ON message_altered (altered);

UPDATE meta SET oldest_reader = 9;
