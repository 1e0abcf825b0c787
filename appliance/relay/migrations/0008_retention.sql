-- How long messages are kept, by kind of conversation: hours after which what every member has read goes. No row: as the box is
-- configured. The release before would let go what is to be kept for longer: that one does not open this file any more.

CREATE TABLE retention_rule (
    id      INTEGER NOT NULL PRIMARY KEY,
    direct  INTEGER NOT NULL,
    grouped INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    patient INTEGER NOT NULL
) STRICT;

UPDATE meta SET oldest_reader = 8;
