-- What is told in patients' threads between messages. Goes with the first message behind it that expires, and with the purge; a
-- thread keeps its newest 400. `kind`, `reason`: as on the wire. 0 in `by_person`, `person`, `reason`, `unit`: none. `until` means
-- something where `ends` is 1.
CREATE TABLE thread_notice (
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    number       INTEGER NOT NULL,
    change       INTEGER NOT NULL,
    behind       INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    by_person    INTEGER NOT NULL,
    kind         INTEGER NOT NULL,
    person       INTEGER NOT NULL,
    reason       INTEGER NOT NULL,
    unit         INTEGER NOT NULL,
    bed          TEXT    NOT NULL,
    ends         INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    PRIMARY KEY (conversation, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX thread_notice_change ON thread_notice (change);

-- How many notices there were in it.
ALTER TABLE conversation ADD COLUMN noticed INTEGER NOT NULL DEFAULT 0;

-- A purge by the release before would leave these: it does not open this file any more.
UPDATE meta SET oldest_reader = 13;
