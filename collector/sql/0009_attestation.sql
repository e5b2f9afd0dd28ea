-- What a device said of itself, if it did. `attestation`: NULL, verified or refused (then attestation_reason says why);
-- attested_chip is the maker's name of the chip, evidence_sha256 of the report followed by its certificates. Neither is
-- kept: they name one GPU for ever. `speed_confirmed` is 1 when the work was fast enough to confirm every figure.
ALTER TABLE floor_proof ADD COLUMN attestation TEXT;
ALTER TABLE floor_proof ADD COLUMN attestation_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE floor_proof ADD COLUMN attested_chip TEXT NOT NULL DEFAULT '';
ALTER TABLE floor_proof ADD COLUMN evidence_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE floor_proof ADD COLUMN speed_confirmed INTEGER NOT NULL DEFAULT 0;
UPDATE floor_proof SET speed_confirmed = 1
  WHERE run_id IN (SELECT run_id FROM run WHERE trust = 'floor_verified');
