-- Every stored run with the price that was in force when it started, at match level provider_gpu: same provider,
-- GPU model and count, same pricing class, memory per GPU not contradicting by more than 10 %. Several prices at that
-- level: the lower median. No such price: NULL, never 0. Runs in SQLite (3.25 or newer) and PostgreSQL.
WITH eligible AS (
  SELECT
    run.run_id,
    price.price_id,
    price.price_instance_hour_usd_micro AS usd_micro,
    ROW_NUMBER() OVER (PARTITION BY run.run_id ORDER BY price.price_instance_hour_usd_micro, price.price_id) AS place,
    COUNT(*) OVER (PARTITION BY run.run_id) AS candidates
  FROM run
  JOIN price
    ON price.provider = run.provider
    AND price.gpu_model = run.gpu_model
    AND price.gpu_count_micro = run.gpu_count * 1000000
  WHERE price.price_basis IN ('instance', 'per_gpu')
    AND price.os = 'linux'
    AND price.tenancy = 'shared'
    AND price.price_instance_hour_usd_micro > 0
    AND price.valid_from_ms <= run.started_at_ms
    AND (price.valid_to_ms IS NULL OR run.started_at_ms < price.valid_to_ms)
    AND CASE price.pricing_model WHEN 'preemptible' THEN 'spot' ELSE price.pricing_model END
      = CASE COALESCE(run.pricing_model, 'on_demand')
          WHEN 'preemptible' THEN 'spot'
          ELSE COALESCE(run.pricing_model, 'on_demand')
        END
    AND (
      price.gpu_memory_gib_total IS NULL
      OR run.gpu_memory_bytes IS NULL
      OR ABS(price.gpu_memory_gib_total * 1073741824.0 / run.gpu_count - run.gpu_memory_bytes)
        <= 0.1 * run.gpu_memory_bytes
    )
)
SELECT
  run.run_id,
  run.provider,
  run.gpu_model,
  run.gpu_count,
  run.score,
  run.simulated,
  CASE WHEN eligible.price_id IS NULL THEN 'none' ELSE 'provider_gpu' END AS match_level,
  eligible.price_id,
  eligible.usd_micro / 1000000.0 AS price_instance_hour_usd,
  run.score * 1000000.0 / eligible.usd_micro AS score_per_usd_hour
FROM run
LEFT JOIN eligible
  ON eligible.run_id = run.run_id
  AND eligible.place = (eligible.candidates - 1) / 2 + 1
ORDER BY score_per_usd_hour IS NULL, score_per_usd_hour DESC, run.run_id
