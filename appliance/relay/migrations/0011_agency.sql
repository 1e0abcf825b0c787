-- Staff from an agency, and when their time is over. The release before would not end it: that one does not open this file any more.

-- `agency`: CBOR, see the core's `agency`; empty: the facility's own. `barred`: of somebody from an agency, suspended by an act.
ALTER TABLE person ADD COLUMN agency BLOB NOT NULL DEFAULT x'';
ALTER TABLE person ADD COLUMN barred INTEGER NOT NULL DEFAULT 0;

UPDATE meta SET oldest_reader = 11;
