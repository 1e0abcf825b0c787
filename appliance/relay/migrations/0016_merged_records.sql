-- Records of one patient: `merged_into` is the surviving record, 0: it is merged into none, and what stands behind means nothing.
-- `merged_by` a person, or 0.
ALTER TABLE patient ADD COLUMN merged_into INTEGER NOT NULL DEFAULT 0;
ALTER TABLE patient ADD COLUMN merged_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE patient ADD COLUMN merged_by INTEGER NOT NULL DEFAULT 0;
CREATE INDEX patient_merged ON patient (merged_into);

-- The release before would show somebody whom the restriction of another record hides, and let expire what a hold on another record
-- keeps: it does not open this file any more.
UPDATE meta SET oldest_reader = 16;
