-- How long STATs took: figures that outlive the messages, without a name or a text. `unit` 0: none's. `answered`: when somebody took it
-- who has not given it back; 0: nobody has. `step`: the furthest that rang, `last`: that of the station screens. One row a STAT, some 40
-- bytes, for ever: 250 a day are 4 MB a year.
CREATE TABLE stat_load (
    conversation INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    unit         INTEGER NOT NULL,
    opened       INTEGER NOT NULL,
    answered     INTEGER NOT NULL,
    step         INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    PRIMARY KEY (conversation, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX stat_load_opened ON stat_load (opened);

-- The release before would write none: what it took meanwhile would be missing. It does not open this file any more.
UPDATE meta SET oldest_reader = 20;
