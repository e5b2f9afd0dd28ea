-- One row = one accepted upload. `body` and `receipt` are the exact bytes that were signed; the other columns are
-- copies for queries. Instants in milliseconds since 1970 UTC. run_id is unique: the first body is kept for ever.
CREATE TABLE run (
  run_id TEXT NOT NULL PRIMARY KEY,
  body BLOB NOT NULL,
  body_sha256 TEXT NOT NULL,
  agent_key TEXT NOT NULL,
  received_at_ms BIGINT NOT NULL,
  receipt BLOB NOT NULL,
  simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
  trust TEXT NOT NULL,
  started_at_ms BIGINT NOT NULL,
  provider TEXT NOT NULL,
  instance_type TEXT,
  region TEXT,
  pricing_model TEXT,
  gpu_model TEXT,
  gpu_count BIGINT NOT NULL,
  gpu_memory_bytes BIGINT,
  score_version TEXT NOT NULL,
  score DOUBLE PRECISION
);
CREATE INDEX run_offer ON run (gpu_model, provider, gpu_count);
