-- Whose thread a conversation is, stays that were put away too: for whoever reads the audit log. An older release does without it.
CREATE INDEX encounter_thread ON encounter (thread);
