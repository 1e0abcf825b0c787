-- By which secrets a device shows that nobody else has its key, in CBOR: hashes of the one that was used last and of the one that was sent
-- since. Empty: it has none. Some 80 bytes. A release before this neither checks them nor changes them, which does no harm: the device goes
-- on with the one that it has.
ALTER TABLE device ADD COLUMN login BLOB NOT NULL DEFAULT x'';
