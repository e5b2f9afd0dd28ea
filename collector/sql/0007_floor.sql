-- One row = the work of one device that was shown for a run, as docs/VERIFIED_RUN.md says. `state`: committed, checking,
-- right or wrong; floor_tflop_per_s is set when it is right. A run is shown once: what was committed cannot be tried
-- again with other draws.
CREATE TABLE floor_proof (
  run_id TEXT NOT NULL,
  device BIGINT NOT NULL,
  dtype TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  steps BIGINT NOT NULL,
  draws BIGINT NOT NULL,
  interval_ns BIGINT NOT NULL,
  floor_tflop_per_s DOUBLE PRECISION,
  PRIMARY KEY (run_id, device)
);

-- The operator knows who holds the key, and takes its runs for what they say.
ALTER TABLE signing_key ADD COLUMN vouched_at_ms BIGINT;
