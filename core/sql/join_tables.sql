-- Temporary tables for join.sql beside the view `prices`: what was measured, and what is asked for.
CREATE TEMP TABLE results (
  result_id TEXT NOT NULL PRIMARY KEY,
  provider TEXT,
  instance_key TEXT,
  region TEXT,
  gpu_model TEXT,
  gpu_variant TEXT,
  gpu_count_micro BIGINT NOT NULL,
  gpus_used_micro BIGINT,
  gpu_memory_mib BIGINT,
  vcpus_milli BIGINT,
  memory_mib BIGINT,
  pricing_model TEXT,
  commitment_months BIGINT,
  measured_at_ms BIGINT NOT NULL,
  score DOUBLE PRECISION
);
CREATE TEMP TABLE options (
  pricing_model TEXT,
  commitment_months BIGINT,
  max_age_days BIGINT NOT NULL,
  rental_equivalent BIGINT NOT NULL,
  cost_basis TEXT NOT NULL,
  os TEXT NOT NULL,
  tenancy TEXT NOT NULL
);
