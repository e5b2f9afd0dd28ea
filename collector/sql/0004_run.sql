-- The signature that came with the body (base64), so that `verify` can check it again. NULL for runs taken in before.
ALTER TABLE run_body ADD COLUMN signature TEXT;

-- One row, made by the first export: the secret under which machines, GPUs and contributors get their names of one month.
-- Here rather than in a file, so that every machine that exports this store gives the same names.
CREATE TABLE surrogate_secret (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  secret TEXT NOT NULL
);
