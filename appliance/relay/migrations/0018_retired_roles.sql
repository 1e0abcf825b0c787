-- Roles that nobody is to hold any more. The release before would let them be held again: that one does not open this file any more. Its
-- rotas may have shifts of a calendar besides.
ALTER TABLE role ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;

UPDATE meta SET oldest_reader = 18;
