-- Which price belongs to each result, and how good is the match? One row for every row of `results`.
--
-- Plain SQL for SQLite (3.28 or newer), PostgreSQL, DuckDB and Spark SQL: the same rows on all four. The rules are
-- those of docs/PRICES.md. Input tables, made by core/sql/0002_price.sql, core/sql/join_tables.sql or an export:
--   results  result_id, provider, instance_key, region, gpu_model, gpu_variant, gpu_count_micro, gpus_used_micro,
--            gpu_memory_mib (of one device), vcpus_milli, memory_mib, pricing_model, commitment_months,
--            measured_at_ms, score
--   prices   price_id, series_identity, provider, instance_key, offer_key, region, gpu_model, gpu_variant,
--            gpu_count_micro, gpu_memory_mib, vcpus_milli, memory_mib, pricing_model, commitment_months, os, tenancy,
--            price_basis, component_missing, amount, currency, unit, fx_rate, fx_date, tax,
--            price_instance_hour_micro, price_instance_hour_usd_micro, price_gpu_hour_usd_micro, valid_from_ms,
--            valid_to_ms, observed_at_ms, as_of_precision, source_kind, source_ref
--   options  one row: pricing_model, commitment_months, max_age_days, rental_equivalent, cost_basis, os, tenancy
-- Money is in millionths (BIGINT), instants in milliseconds since 1970 UTC, flags are 0 or 1, NULL is unknown. All of a
-- result may be unknown but its id; of a price price_id, series_identity, provider, gpu_count_micro, pricing_model, os,
-- tenancy, price_basis, observed_at_ms and source_kind are not. price_id is unique, of 0-9 and a-z alone, and
-- breaks ties in the order of bytes: where PostgreSQL's collation has another for these (Danish has "aa" last),
-- declare it `price_id TEXT COLLATE "C"`. Of all other texts it is asked only whether they are equal.
--
-- What keeps it portable: no division but of exact multiples below 2^53 (7/2 is 3.5 in DuckDB and Spark), no SUM (its
-- type differs), no NULL in an ORDER BY (its place differs), no comparison of NULLs: unknown is '' or -1 inside. At
-- gpu_only the cost is exact while it and 1,000,000 times the price of a GPU stay below 2^53 (9 007 USD a GPU-hour).
--
-- What keeps it fast: everything that does not depend on time is decided once for each distinct offer asked for; time is
-- cut where a price begins, ends or goes stale, and each (offer, stretch of time) is decided once. Results fan out last.
WITH asked AS (
  SELECT
    results.result_id,
    COALESCE(results.measured_at_ms, -9000000000000000) AS measured_at_ms,
    results.score,
    CASE WHEN results.provider = 'unknown' THEN '' ELSE COALESCE(results.provider, '') END AS provider,
    COALESCE(results.instance_key, '') AS instance_key,
    COALESCE(results.region, '') AS region,
    COALESCE(results.gpu_model, '') AS gpu_model,
    COALESCE(results.gpu_variant, '') AS gpu_variant,
    CASE WHEN results.gpu_count_micro > 0 THEN results.gpu_count_micro ELSE -1 END AS gpu_count_micro,
    CASE WHEN results.gpus_used_micro > 0 THEN results.gpus_used_micro ELSE results.gpu_count_micro END AS gpus_used_micro,
    COALESCE(results.gpu_memory_mib, -1) AS gpu_memory_mib,
    COALESCE(results.vcpus_milli, -1) AS vcpus_milli,
    COALESCE(results.memory_mib, -1) AS memory_mib,
    CASE COALESCE(options.pricing_model, results.pricing_model, 'on_demand')
      WHEN 'preemptible' THEN 'spot'
      ELSE COALESCE(options.pricing_model, results.pricing_model, 'on_demand')
    END AS pricing_class,
    CASE COALESCE(options.pricing_model, results.pricing_model, 'on_demand')
      WHEN 'reserved' THEN COALESCE(options.commitment_months, results.commitment_months, -1)
      ELSE 0
    END AS term_months,
    CASE WHEN options.pricing_model IS NULL AND results.pricing_model IS NULL THEN 1 ELSE 0 END AS class_assumed
  FROM results
  CROSS JOIN options
),
offers AS (
  SELECT
    distinct_offers.*,
    ROW_NUMBER() OVER (
      ORDER BY provider, instance_key, region, gpu_model, gpu_variant, gpu_count_micro, gpu_memory_mib, vcpus_milli,
        memory_mib, pricing_class, term_months
    ) AS offer_no,
    CASE WHEN gpu_count_micro > 0 AND (provider <> '' OR options.rental_equivalent = 1) THEN 1 ELSE 0 END AS permitted
  FROM (
    SELECT DISTINCT
      provider, instance_key, region, gpu_model, gpu_variant, gpu_count_micro, gpu_memory_mib, vcpus_milli, memory_mib,
      pricing_class, term_months
    FROM asked
  ) AS distinct_offers
  CROSS JOIN options
),
-- Integers that stand for the orders among prices, so that nothing below compares texts: `price_no` orders the rows of a
-- series across sources. A price that is never in force together with another of its series needs no such comparison.
numbered AS (
  SELECT
    price_id, price_no, gpu_hour_micro,
    ROW_NUMBER() OVER (ORDER BY gpu_hour_micro, price_id) AS gpu_hour_place,
    ROW_NUMBER() OVER (ORDER BY instance_hour_micro, price_id) AS instance_hour_place,
    DENSE_RANK() OVER (ORDER BY series_identity) AS series_no,
    CASE
      WHEN MAX(valid_to_ms) OVER (
        PARTITION BY series_identity ORDER BY valid_from_ms, price_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) > valid_from_ms THEN 1
      WHEN LEAD(valid_from_ms) OVER (PARTITION BY series_identity ORDER BY valid_from_ms, price_id) < valid_to_ms THEN 1
      ELSE 0
    END AS overlaps
  FROM (
    SELECT
      price_id, series_identity,
      COALESCE(price_gpu_hour_usd_micro, -1) AS gpu_hour_micro,
      COALESCE(price_instance_hour_usd_micro, -1) AS instance_hour_micro,
      COALESCE(valid_from_ms, -9000000000000000) AS valid_from_ms,
      COALESCE(valid_to_ms, 9000000000000000) AS valid_to_ms,
      ROW_NUMBER() OVER (
        ORDER BY
          CASE source_kind WHEN 'api' THEN 1 WHEN 'catalog' THEN 2 WHEN 'document' THEN 3 ELSE 4 END,
          COALESCE(valid_from_ms, -9000000000000000) DESC,
          price_id
      ) AS price_no
    FROM prices
  ) AS ordered
),
-- Step 1: the same GPU. Steps 2 to 4 as columns: 1 where the price passes; `problem` is the first of its reasons.
considered AS (
  SELECT
    offers.offer_no, prices.price_id, prices.valid_from_ms, prices.valid_to_ms, prices.observed_at_ms,
    CASE WHEN offers.gpu_memory_mib >= 0 AND prices.gpu_memory_mib IS NOT NULL THEN 1 ELSE 0 END AS memory_known,
    CASE
      WHEN offers.gpu_memory_mib < 0 OR prices.gpu_memory_mib IS NULL THEN 1
      WHEN 10 * ABS(prices.gpu_memory_mib - offers.gpu_memory_mib) <= offers.gpu_memory_mib THEN 1
      ELSE 0
    END AS memory_fits,
    CASE
      WHEN offers.gpu_variant = '' OR COALESCE(prices.gpu_variant, '') IN ('', offers.gpu_variant) THEN 1
      ELSE 0
    END AS variant_fits,
    CASE
      WHEN CASE prices.pricing_model WHEN 'preemptible' THEN 'spot' ELSE prices.pricing_model END
          <> offers.pricing_class THEN 0
      WHEN offers.pricing_class = 'reserved' AND COALESCE(prices.commitment_months, -2) <> offers.term_months THEN 0
      ELSE 1
    END AS class_fits,
    CASE
      WHEN prices.component_missing = 1 THEN 3
      WHEN prices.amount IS NULL THEN 1
      WHEN COALESCE(prices.price_instance_hour_micro, 0) <= 0 THEN 2
      WHEN prices.price_instance_hour_usd_micro IS NULL OR prices.price_gpu_hour_usd_micro IS NULL THEN 4
      WHEN prices.price_instance_hour_usd_micro <= 0 OR prices.price_gpu_hour_usd_micro <= 0 THEN 2
      WHEN prices.valid_from_ms IS NULL THEN 5
      WHEN prices.price_basis NOT IN ('instance', 'per_gpu') THEN 6
      WHEN prices.os <> options.os OR prices.tenancy <> options.tenancy THEN 6
      ELSE 0
    END AS problem,
    CASE WHEN offers.provider <> '' AND prices.provider = offers.provider THEN 1 ELSE 0 END AS same_provider,
    CASE WHEN prices.gpu_count_micro = offers.gpu_count_micro THEN 1 ELSE 0 END AS same_count,
    CASE
      WHEN offers.instance_key = '' THEN 0
      WHEN prices.instance_key = offers.instance_key OR prices.offer_key = offers.instance_key THEN 1
      ELSE 0
    END AS same_name,
    CASE
      WHEN prices.region = '*' THEN 1
      WHEN offers.region = '' OR COALESCE(prices.region, '') = '' THEN 2
      WHEN prices.region = offers.region AND prices.provider = offers.provider THEN 0
      ELSE 3
    END AS region_rank,
    CASE WHEN prices.vcpus_milli = offers.vcpus_milli THEN 0 ELSE 1 END AS vcpus_rank,
    CASE
      WHEN offers.memory_mib >= 0 AND 10 * ABS(prices.memory_mib - offers.memory_mib) <= offers.memory_mib THEN 0
      ELSE 1
    END AS memory_rank
  FROM offers
  JOIN prices ON prices.gpu_model = offers.gpu_model
  CROSS JOIN options
),
-- How far each offer's prices got, over all time: enough to name the reason when none is left.
progress AS (
  SELECT
    offer_no,
    MAX(memory_fits) AS any_memory,
    MAX(memory_fits * variant_fits) AS any_variant,
    MAX(memory_fits * variant_fits * class_fits) AS any_class,
    MIN(CASE WHEN memory_fits * variant_fits * class_fits = 1 THEN problem ELSE 9 END) AS first_problem,
    MAX(CASE WHEN memory_fits * variant_fits * class_fits = 1 AND problem = 0 THEN valid_from_ms END) AS last_start_ms
  FROM considered
  GROUP BY offer_no
),
-- What may be joined with each offer. `level_key` is the level and, below it, the standing within the level: the steps of
-- narrowing as digits, the first one highest, smaller is better. Staleness depends on time and adds 256 later.
usable AS (
  SELECT
    leveled.*,
    level_rank * 1024
      + region_rank * 32
      + (1 - memory_known) * 16
      + CASE WHEN level_rank = 3 THEN (1 - same_provider) * 8 + (1 - same_count) * 4 ELSE 0 END
      + vcpus_rank * 2
      + memory_rank AS level_key
  FROM (
    SELECT
      offer_no, price_id, valid_from_ms,
      COALESCE(valid_to_ms, 9000000000000000) AS valid_to_ms,
      observed_at_ms + 86400000 * options.max_age_days + 1 AS stale_from_ms,
      CASE
        WHEN same_provider * same_count * same_name = 1 AND region_rank < 3 THEN 1
        WHEN same_provider * same_count = 1 THEN 2
        ELSE 3
      END AS level_rank,
      region_rank, memory_known, same_provider, same_count, vcpus_rank, memory_rank
    FROM considered
    CROSS JOIN options
    WHERE memory_fits * variant_fits * class_fits = 1 AND problem = 0
  ) AS leveled
),
placeable AS (
  SELECT
    usable.*,
    numbered.price_no, numbered.series_no, numbered.overlaps, numbered.gpu_hour_micro,
    CASE usable.level_rank WHEN 3 THEN numbered.gpu_hour_place ELSE numbered.instance_hour_place END AS price_place
  FROM usable
  JOIN numbered ON numbered.price_id = usable.price_id
),
-- Nothing about an offer changes between two of its boundaries.
boundaries AS (
  SELECT offer_no, valid_from_ms AS boundary_ms FROM usable
  UNION
  SELECT offer_no, valid_to_ms AS boundary_ms FROM usable WHERE valid_to_ms < 9000000000000000
  UNION
  SELECT offer_no, stale_from_ms AS boundary_ms FROM usable
),
instants AS (
  SELECT
    1 AS is_result, offers.offer_no, asked.measured_at_ms AS instant_ms, -9000000000000000 AS boundary_ms,
    asked.result_id, asked.score, asked.gpu_count_micro, asked.gpus_used_micro, asked.class_assumed
  FROM asked
  JOIN offers USING (
    provider, instance_key, region, gpu_model, gpu_variant, gpu_count_micro, gpu_memory_mib, vcpus_milli, memory_mib,
    pricing_class, term_months
  )
  UNION ALL
  SELECT 0, offer_no, boundary_ms, boundary_ms, '', 0, 0, 0, 0 FROM boundaries
),
placed AS (
  SELECT
    offer_no, instant_ms AS measured_at_ms, since_ms, result_id, score, gpu_count_micro, gpus_used_micro, class_assumed
  FROM (
    SELECT instants.*, MAX(boundary_ms) OVER (PARTITION BY offer_no ORDER BY instant_ms) AS since_ms FROM instants
  ) AS stretches
  WHERE is_result = 1
),
moments AS (
  SELECT DISTINCT offer_no, since_ms FROM placed
),
-- Step 5 for the series that have several prices in force at once: one of each series.
thinned AS (
  SELECT offer_no, since_ms, price_no, price_place, gpu_hour_micro, moment_key
  FROM (
    SELECT
      moments.offer_no, moments.since_ms, placeable.price_no, placeable.price_place, placeable.gpu_hour_micro,
      placeable.level_key + CASE WHEN moments.since_ms >= placeable.stale_from_ms THEN 256 ELSE 0 END AS moment_key,
      ROW_NUMBER() OVER (
        PARTITION BY moments.offer_no, moments.since_ms, placeable.level_rank, placeable.series_no
        ORDER BY placeable.price_no
      ) AS place_in_series
    FROM moments
    JOIN placeable ON placeable.offer_no = moments.offer_no
    WHERE placeable.overlaps = 1
      AND placeable.valid_from_ms <= moments.since_ms
      AND moments.since_ms < placeable.valid_to_ms
  ) AS in_series
  WHERE place_in_series = 1
),
-- Step 5 for all: the best level and standing at each moment ...
best AS (
  SELECT offer_no, since_ms, MIN(moment_key) AS best_key
  FROM (
    SELECT
      moments.offer_no, moments.since_ms,
      placeable.level_key + CASE WHEN moments.since_ms >= placeable.stale_from_ms THEN 256 ELSE 0 END AS moment_key
    FROM moments
    JOIN placeable ON placeable.offer_no = moments.offer_no
    WHERE placeable.overlaps = 0
      AND placeable.valid_from_ms <= moments.since_ms
      AND moments.since_ms < placeable.valid_to_ms
    UNION ALL
    SELECT offer_no, since_ms, moment_key FROM thinned
  ) AS in_force
  GROUP BY offer_no, since_ms
),
-- ... and the prices that have them. Joined again rather than kept, as they are few and those above are many.
remaining AS (
  SELECT best.offer_no, best.since_ms, placeable.price_no, placeable.price_place, placeable.gpu_hour_micro
  FROM best
  JOIN placeable ON placeable.offer_no = best.offer_no
  WHERE placeable.overlaps = 0
    AND placeable.valid_from_ms <= best.since_ms
    AND best.since_ms < placeable.valid_to_ms
    AND placeable.level_key + CASE WHEN best.since_ms >= placeable.stale_from_ms THEN 256 ELSE 0 END = best.best_key
  UNION ALL
  SELECT best.offer_no, best.since_ms, thinned.price_no, thinned.price_place, thinned.gpu_hour_micro
  FROM best
  JOIN thinned
    ON thinned.offer_no = best.offer_no AND thinned.since_ms = best.since_ms AND thinned.moment_key = best.best_key
),
places AS (
  SELECT
    offer_no, since_ms, price_no,
    ROW_NUMBER() OVER (PARTITION BY offer_no, since_ms ORDER BY price_place) AS place,
    COUNT(*) OVER (PARTITION BY offer_no, since_ms) AS candidate_count,
    MIN(gpu_hour_micro) OVER (PARTITION BY offer_no, since_ms) AS lowest_micro,
    MAX(gpu_hour_micro) OVER (PARTITION BY offer_no, since_ms) AS highest_micro
  FROM remaining
),
-- The lower median: element (n-1)/2 counted from 0.
chosen AS (
  SELECT
    places.offer_no, places.since_ms, places.candidate_count, places.lowest_micro, places.highest_micro,
    placeable.level_rank, placeable.region_rank, placeable.memory_known, placeable.same_count, placeable.price_id,
    prices.price_instance_hour_usd_micro, prices.price_gpu_hour_usd_micro, prices.provider AS price_provider,
    prices.gpu_variant AS price_variant, prices.source_ref, prices.amount, prices.currency, prices.unit, prices.fx_rate,
    prices.fx_date, prices.observed_at_ms, prices.as_of_precision, prices.tax
  FROM places
  JOIN placeable ON placeable.offer_no = places.offer_no AND placeable.price_no = places.price_no
  JOIN prices ON prices.price_id = placeable.price_id
  JOIN offers ON offers.offer_no = places.offer_no
  WHERE offers.permitted = 1
    AND (places.place * 2 = places.candidate_count OR places.place * 2 = places.candidate_count + 1)
),
-- Without a provider only another's price can be meant, and only on request. Without a count of GPUs no machine can.
denied AS (
  SELECT offer_no, since_ms, 1 AS is_denied FROM best JOIN offers USING (offer_no) WHERE permitted = 0
),
-- Fan out. At gpu_only the machine costs its count of devices; the count's whole and broken parts are multiplied apart
-- so that no product passes 2^53.
fanned AS (
  SELECT
    *,
    CASE WHEN measured_at_ms < observed_at_ms THEN 0 ELSE measured_at_ms - observed_at_ms END AS age_ms,
    price_gpu_hour_usd_micro * CAST((gpu_count_micro - gpu_count_micro % 1000000) / 1000000 AS BIGINT) AS whole_devices_micro,
    price_gpu_hour_usd_micro * (gpu_count_micro % 1000000) AS broken_device_pico,
    price_gpu_hour_usd_micro * CAST((gpus_used_micro - gpus_used_micro % 1000000) / 1000000 AS BIGINT) AS whole_used_micro,
    price_gpu_hour_usd_micro * (gpus_used_micro % 1000000) AS broken_used_pico
  FROM placed
  JOIN (SELECT offer_no, pricing_class, gpu_variant AS asked_variant FROM offers) AS asked_offers USING (offer_no)
  LEFT JOIN progress USING (offer_no)
  LEFT JOIN chosen USING (offer_no, since_ms)
  LEFT JOIN denied USING (offer_no, since_ms)
),
scaled AS (
  SELECT
    fanned.*,
    whole_devices_micro + CAST((broken_device_pico - broken_device_pico % 1000000) / 1000000 AS BIGINT) AS devices_micro,
    whole_used_micro + CAST((broken_used_pico - broken_used_pico % 1000000) / 1000000 AS BIGINT) AS used_micro
  FROM fanned
),
costed AS (
  SELECT
    scaled.*,
    CASE
      WHEN level_rank < 3 THEN price_instance_hour_usd_micro
      WHEN broken_device_pico % 1000000 > 500000 THEN devices_micro + 1
      WHEN broken_device_pico % 1000000 = 500000 THEN devices_micro + devices_micro % 2
      ELSE devices_micro
    END AS machine_micro,
    CASE
      WHEN broken_used_pico % 1000000 > 500000 THEN used_micro + 1
      WHEN broken_used_pico % 1000000 = 500000 THEN used_micro + used_micro % 2
      ELSE used_micro
    END AS share_micro,
    CASE WHEN options.cost_basis = 'gpu_share' AND gpus_used_micro < gpu_count_micro THEN 1 ELSE 0 END AS is_share,
    options.max_age_days
  FROM scaled
  CROSS JOIN options
)
SELECT
  result_id,
  CASE level_rank WHEN 1 THEN 'exact_offer' WHEN 2 THEN 'provider_gpu' WHEN 3 THEN 'gpu_only' ELSE 'none' END AS match_level,
  CASE
    WHEN price_id IS NOT NULL THEN NULL
    WHEN first_problem IS NULL THEN 'no_gpu_price'
    WHEN any_memory = 0 THEN 'memory_differs'
    WHEN any_variant = 0 THEN 'variant_differs'
    WHEN any_class = 0 THEN 'no_pricing_class'
    WHEN first_problem > 0 THEN
      CASE first_problem
        WHEN 1 THEN 'amount_missing'
        WHEN 2 THEN 'zero_price'
        WHEN 3 THEN 'component_missing'
        WHEN 4 THEN 'fx_missing'
        WHEN 5 THEN 'undated'
        ELSE 'not_an_offer'
      END
    WHEN is_denied = 1 AND gpu_count_micro < 0 THEN 'gpu_count_missing'
    WHEN is_denied = 1 THEN 'no_provider'
    WHEN measured_at_ms = -9000000000000000 THEN 'measured_at_missing'
    WHEN last_start_ms > measured_at_ms THEN 'not_yet_valid'
    ELSE 'expired'
  END AS reason,
  price_id, price_provider, source_ref, amount, currency, unit, fx_rate, fx_date,
  machine_micro AS price_instance_hour_usd_micro,
  price_gpu_hour_usd_micro,
  COALESCE(candidate_count, 0) AS candidates,
  lowest_micro AS lowest_gpu_hour_usd_micro,
  highest_micro AS highest_gpu_hour_usd_micro,
  CASE region_rank WHEN 0 THEN 'equal' WHEN 1 THEN 'global' WHEN 2 THEN 'unknown' WHEN 3 THEN 'different' END AS region_match,
  CASE memory_known WHEN 1 THEN 'equal' WHEN 0 THEN 'unknown' END AS memory_check,
  CASE
    WHEN price_id IS NULL THEN NULL
    WHEN asked_variant = '' OR COALESCE(price_variant, '') = '' THEN 'unknown'
    ELSE 'equal'
  END AS variant_check,
  CASE WHEN price_id IS NULL THEN NULL WHEN level_rank = 3 AND same_count = 0 THEN 1 ELSE 0 END AS count_scaled,
  CAST((age_ms - age_ms % 86400000) / 86400000 AS BIGINT) AS age_days,
  CASE WHEN price_id IS NULL THEN NULL WHEN age_ms > 86400000 * max_age_days THEN 1 ELSE 0 END AS stale,
  as_of_precision, tax,
  pricing_class AS pricing_model,
  class_assumed AS pricing_model_assumed,
  CASE WHEN price_id IS NULL THEN NULL WHEN is_share = 1 THEN 'gpu_share' ELSE 'machine' END AS cost_basis,
  CASE is_share WHEN 1 THEN share_micro ELSE machine_micro END AS cost_hour_usd_micro,
  score * 1000000 / NULLIF(CASE is_share WHEN 1 THEN share_micro ELSE machine_micro END, 0) AS score_per_usd_hour
FROM costed
