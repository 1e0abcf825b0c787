-- Urgent messages that nobody has seen: a unit's station screens show them. An older release does without it; what was seen under one is
-- shown again until somebody reads it once more.
CREATE TABLE urgent_wait (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    sender       INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (conversation, sequence)
) STRICT, WITHOUT ROWID;
