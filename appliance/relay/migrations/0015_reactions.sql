-- Whom a message names, and what is put to it. Columns have defaults, for rows that are there already: every row that is written says what
-- is in `mentions`.

-- `mentions`: of each a person and a role (0: none), 8 bytes each, big-endian. `reactions`: of each person the identifier, 8 bytes,
-- big-endian, and a bit for each kind. `reacted`: the change that last touched them; 0: none ever did.
ALTER TABLE message ADD COLUMN mentions  BLOB    NOT NULL DEFAULT x'';
ALTER TABLE message ADD COLUMN reactions BLOB    NOT NULL DEFAULT x'';
ALTER TABLE message ADD COLUMN reacted   INTEGER NOT NULL DEFAULT 0;

-- Few beside all messages: for whoever catches up, and for the purge, which leaves neither.
CREATE INDEX message_marked ON message (conversation, reacted) WHERE reacted > 0 OR mentions <> x'';

-- The release before would edit a text and leave what was put to the earlier one, and purge a conversation and leave whom it named: it
-- does not open this file any more.
UPDATE meta SET oldest_reader = 15;
