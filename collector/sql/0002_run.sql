-- What the price join asks besides: see core/sql/join.sql. Runs taken in before have NULL there, which is unknown.
ALTER TABLE run ADD COLUMN instance_key TEXT;
ALTER TABLE run ADD COLUMN gpu_variant TEXT;
ALTER TABLE run ADD COLUMN vcpus_milli BIGINT;
ALTER TABLE run ADD COLUMN memory_mib BIGINT;

CREATE VIEW results AS
SELECT run_id AS result_id, provider, instance_key, region, gpu_model, gpu_variant,
  gpu_count * 1000000 AS gpu_count_micro, CAST(NULL AS BIGINT) AS gpus_used_micro,
  gpu_memory_bytes / 1048576 AS gpu_memory_mib, vcpus_milli, memory_mib, pricing_model,
  CAST(NULL AS BIGINT) AS commitment_months, started_at_ms AS measured_at_ms, score
FROM run;

-- One row: how join.sql is to be asked. Change it with UPDATE.
CREATE TABLE options (
  pricing_model TEXT,
  commitment_months BIGINT,
  max_age_days BIGINT NOT NULL,
  rental_equivalent BIGINT NOT NULL,
  cost_basis TEXT NOT NULL,
  os TEXT NOT NULL,
  tenancy TEXT NOT NULL
);
INSERT INTO options VALUES (NULL, NULL, 90, 0, 'machine', 'linux', 'shared');
