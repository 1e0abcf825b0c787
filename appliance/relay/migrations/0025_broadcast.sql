-- Who may announce to the facility; and how urgent announcements may be, where it was set. The announcements themselves are
-- conversations.
CREATE TABLE announcer (
    person INTEGER NOT NULL PRIMARY KEY
) STRICT;

CREATE TABLE broadcast_policy (
    id              INTEGER NOT NULL PRIMARY KEY,
    unit_urgent     INTEGER NOT NULL,
    facility_urgent INTEGER NOT NULL
) STRICT;

-- A release before this would let whoever reads announcements write there.
UPDATE meta SET oldest_reader = 25;
