-- Offers of roles that wait for an answer. One that the release before does not see it would neither end nor keep, so that one does not
-- open this file any more.

-- CBOR, see the core's `role::offer`; 80: none.
ALTER TABLE role ADD COLUMN offers BLOB NOT NULL DEFAULT x'80';

UPDATE meta SET oldest_reader = 10;
