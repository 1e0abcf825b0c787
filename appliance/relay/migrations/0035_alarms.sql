-- Not a person but the box itself, whose messages are alarms. An older release takes it for somebody who is suspended.
ALTER TABLE person ADD COLUMN the_box INTEGER NOT NULL DEFAULT 0;
-- Whose holders are told of the box's alarms; no row: nobody is. An older release does without.
CREATE TABLE alarm_policy (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    role INTEGER NOT NULL
) STRICT;
-- Alarms that stand and were told: what, how bad, when, and where.
CREATE TABLE alarm_told (
    kind INTEGER PRIMARY KEY,
    level INTEGER NOT NULL,
    at INTEGER NOT NULL,
    conversation INTEGER NOT NULL,
    sequence INTEGER NOT NULL
) STRICT;
