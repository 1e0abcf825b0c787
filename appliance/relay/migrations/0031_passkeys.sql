-- What opens a device's session in the PIN's place, in CBOR: for each its identifier, its key, and when it was added. Empty: none. Some 150
-- bytes each. `session_until` stays from now on when a session locks, since until then a passkey opens it; 0 where only a PIN does. A
-- release before this reads neither: there the PIN is asked for.
ALTER TABLE device ADD COLUMN passkeys BLOB NOT NULL DEFAULT x'';
UPDATE device SET session_until = 0 WHERE session_open = 0;
