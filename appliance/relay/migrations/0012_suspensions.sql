-- A charge nurse's suspension that waits for an administrator. The release before lets somebody in again without ending what waits, and
-- has nobody told of it: that one does not open this file any more.

-- CBOR, see the core's `leaving`; empty: nothing waits.
ALTER TABLE person ADD COLUMN waits BLOB NOT NULL DEFAULT x'';

UPDATE meta SET oldest_reader = 12;
