-- What may happen to a run after it was taken in. `quarantine_reason`: it is implausible, and kept and shown, but counts
-- in no aggregate. `retracted_at_ms`: its contributor took it back; all other columns are emptied, run_id stays so that
-- the run cannot come again. Both NULL: an ordinary run.
ALTER TABLE run ADD COLUMN quarantine_reason TEXT;
ALTER TABLE run ADD COLUMN retracted_at_ms BIGINT;

-- Lists are paged by (received_at_ms, run_id), newest first.
CREATE INDEX run_received ON run (received_at_ms, run_id);
CREATE INDEX run_model_received ON run (gpu_model, received_at_ms, run_id);
CREATE INDEX run_retracted ON run (retracted_at_ms, run_id) WHERE retracted_at_ms IS NOT NULL;

-- The exact bytes apart from the columns: a look at all runs must not read past a hundred kilobytes for each.
CREATE TABLE run_body (
  run_id TEXT NOT NULL PRIMARY KEY,
  body BLOB NOT NULL,
  receipt BLOB NOT NULL
);
INSERT INTO run_body (run_id, body, receipt) SELECT run_id, body, receipt FROM run;
ALTER TABLE run DROP COLUMN body;
ALTER TABLE run DROP COLUMN receipt;

-- The keys that signed runs (base64 of the Ed25519 public key).
CREATE TABLE signing_key (
  agent_key TEXT NOT NULL PRIMARY KEY,
  first_seen_ms BIGINT NOT NULL,
  revoked_at_ms BIGINT,
  replaced_by TEXT
);
INSERT INTO signing_key (agent_key, first_seen_ms)
SELECT agent_key, MIN(received_at_ms) FROM run GROUP BY agent_key;

-- What join.sql reads: only runs that count.
DROP VIEW results;
CREATE VIEW results AS
SELECT run_id AS result_id, provider, instance_key, region, gpu_model, gpu_variant,
  gpu_count * 1000000 AS gpu_count_micro, CAST(NULL AS BIGINT) AS gpus_used_micro,
  gpu_memory_bytes / 1048576 AS gpu_memory_mib, vcpus_milli, memory_mib, pricing_model,
  CAST(NULL AS BIGINT) AS commitment_months, started_at_ms AS measured_at_ms, score
FROM run
WHERE simulated = 0 AND quarantine_reason IS NULL AND retracted_at_ms IS NULL;
