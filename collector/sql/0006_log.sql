-- The public log (docs/LOG.md): a Merkle tree over the receipts of all runs.
-- One row = one run that was acknowledged. `salt` is NULL once the run was deleted; `leaf_index` until it is in the tree.
CREATE TABLE log_entry (
  run_id TEXT NOT NULL PRIMARY KEY,
  leaf_hash BLOB NOT NULL,
  salt BLOB,
  leaf_index BIGINT
);
CREATE UNIQUE INDEX log_entry_leaf ON log_entry (leaf_index);

-- The root of the 2^level leaves that begin at leaf node_index * 2^level; level 0 are the leaves' hashes. Never changed.
CREATE TABLE log_node (
  level INTEGER NOT NULL,
  node_index BIGINT NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (level, node_index)
);

-- What was signed of the tree, the exact text, in the order of signing.
CREATE TABLE log_checkpoint (
  checkpoint_id BIGINT NOT NULL PRIMARY KEY,
  tree_size BIGINT NOT NULL,
  made_at_ms BIGINT NOT NULL,
  checkpoint TEXT NOT NULL
);
