-- The machine that a key belongs to: the first of its keys. A key and the one that replaced it are one machine, which
-- counts once. NULL, which a collector of the former version writes: the key itself.
ALTER TABLE signing_key ADD COLUMN machine_key TEXT;
UPDATE signing_key SET machine_key = agent_key;
CREATE INDEX signing_key_machine ON signing_key (machine_key);

-- What a collector may be told to keep for a limited time.
CREATE INDEX run_simulated ON run (received_at_ms) WHERE simulated = 1;
CREATE INDEX run_quarantined ON run (received_at_ms) WHERE quarantine_reason IS NOT NULL;
