-- Restricted patients: `restriction` is the alias, who is named, and who set it, in CBOR; empty: none. Who countersigned an emergency
-- access: a person, or 0.
ALTER TABLE patient ADD COLUMN restriction BLOB NOT NULL DEFAULT x'';
ALTER TABLE emergency_access ADD COLUMN second INTEGER NOT NULL DEFAULT 0;

-- The release before would show who a restricted patient is: it does not open this file any more.
UPDATE meta SET oldest_reader = 14;
