-- What is compared among runs, so that nobody has to read all documents for it. `checked` is 0 until that was done.
CREATE TABLE run_trace (
  run_id TEXT NOT NULL PRIMARY KEY,
  finished_at_ms BIGINT NOT NULL,
  instance TEXT,
  checked INTEGER NOT NULL CHECK (checked IN (0, 1))
);
CREATE INDEX run_trace_unchecked ON run_trace (run_id) WHERE checked = 0;

-- The GPUs of a run, by the hash that the agent gave: one name under one key of a machine.
CREATE TABLE run_gpu (
  run_id TEXT NOT NULL,
  gpu TEXT NOT NULL,
  PRIMARY KEY (run_id, gpu)
);
CREATE INDEX run_gpu_gpu ON run_gpu (gpu);

-- Parts of the shape of its samples: two runs that share two of them are compared.
CREATE TABLE run_pattern (
  run_id TEXT NOT NULL,
  pattern BIGINT NOT NULL,
  PRIMARY KEY (run_id, pattern)
);
CREATE INDEX run_pattern_pattern ON run_pattern (pattern);

-- Why somebody should look at a run.
CREATE TABLE run_flag (
  run_id TEXT NOT NULL,
  code TEXT NOT NULL,
  detail TEXT NOT NULL,
  flagged_at_ms BIGINT NOT NULL,
  PRIMARY KEY (run_id, code)
);
