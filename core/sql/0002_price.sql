-- The price table as docs/PRICES.md has it, in place of the first one, which held the seed prices only: those are loaded
-- again. Money and quantities in millionths, instants in milliseconds since 1970 UTC, NULL = unknown (never 0).
-- Fields: docs of struct PriceRow in core/prices.h.
DROP TABLE price;
CREATE TABLE price (
  price_id TEXT NOT NULL PRIMARY KEY,
  series_key TEXT NOT NULL,
  series_identity TEXT NOT NULL,
  provider TEXT NOT NULL,
  product_line TEXT,
  offer_id TEXT,
  offer_key TEXT,
  instance_type TEXT,
  instance_key TEXT,
  region TEXT,
  zone TEXT,
  gpu_model TEXT NOT NULL,
  gpu_variant TEXT,
  gpu_count_micro BIGINT NOT NULL CHECK (gpu_count_micro > 0),
  gpu_memory_gib_total_micro BIGINT,
  gpu_memory_mib BIGINT,
  vcpus_micro BIGINT,
  vcpus_milli BIGINT,
  memory_gib_micro BIGINT,
  memory_mib BIGINT,
  local_disk_gb_micro BIGINT,
  pricing_model TEXT NOT NULL,
  commitment_months BIGINT,
  os TEXT NOT NULL,
  tenancy TEXT NOT NULL,
  price_basis TEXT NOT NULL,
  component_missing BIGINT NOT NULL CHECK (component_missing IN (0, 1)),
  amount TEXT,
  upfront_amount TEXT,
  currency TEXT NOT NULL,
  unit TEXT NOT NULL,
  hours_per_unit TEXT,
  tax TEXT NOT NULL,
  tax_rate TEXT,
  price_instance_hour_micro BIGINT,
  fx_rate TEXT,
  fx_date TEXT,
  fx_source TEXT,
  price_instance_hour_usd_micro BIGINT,
  price_gpu_hour_usd_micro BIGINT,
  valid_from_ms BIGINT,
  valid_to_ms BIGINT CHECK (valid_to_ms > valid_from_ms),
  valid_to_stated BIGINT NOT NULL CHECK (valid_to_stated IN (0, 1)),
  observed_at_ms BIGINT NOT NULL,
  as_of_precision TEXT NOT NULL,
  source_kind TEXT NOT NULL,
  source TEXT NOT NULL,
  source_ref TEXT NOT NULL,
  retrieved_at TEXT,
  license TEXT,
  confidence TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE INDEX price_series ON price (series_key, valid_from_ms);
CREATE INDEX price_offer ON price (gpu_model, provider, gpu_count_micro);
CREATE INDEX price_source ON price (source, valid_to_ms);

-- Instants in the middle of an interval at which the price was seen: where an older observation of another price, imported
-- later, cuts the interval, they say where its parts end and begin. For complete lists the list's instant stands for all.
CREATE TABLE price_seen (
  series_key TEXT NOT NULL,
  instant_ms BIGINT NOT NULL,
  PRIMARY KEY (series_key, instant_ms)
);
CREATE TABLE price_list (
  source TEXT NOT NULL,
  instant_ms BIGINT NOT NULL,
  PRIMARY KEY (source, instant_ms)
);
-- Offers whose line in a list could not be read: for them there was no such list. '' is any name, any region.
CREATE TABLE price_unread (
  source TEXT NOT NULL,
  instant_ms BIGINT NOT NULL,
  name_key TEXT NOT NULL,
  region TEXT NOT NULL,
  PRIMARY KEY (source, instant_ms, name_key, region)
);

-- What join.sql reads, and exports write.
CREATE VIEW prices AS
SELECT price_id, series_identity, provider, instance_key, offer_key, region, gpu_model, gpu_variant, gpu_count_micro,
  gpu_memory_mib, vcpus_milli, memory_mib, pricing_model, commitment_months, os, tenancy, price_basis,
  component_missing, amount, currency, unit, fx_rate, fx_date, tax, price_instance_hour_micro,
  price_instance_hour_usd_micro, price_gpu_hour_usd_micro, valid_from_ms, valid_to_ms, observed_at_ms,
  as_of_precision, source_kind, source_ref
FROM price;

-- Imported exchange rates: dollars for one unit of the currency on a day (days since 1970).
CREATE TABLE fx_rate (
  currency TEXT NOT NULL,
  day BIGINT NOT NULL,
  usd_per_unit TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (currency, day)
);
