"""The tables that core/sql/join.sql reads and the rows it gives: names, types, and builders with plain defaults."""

DAY_MS = 86_400_000
NOON = 1_700_049_600_000  # 2023-11-15T12:00:00Z, when results are measured unless a case says otherwise
MIDNIGHT = NOON - DAY_MS // 2

TEXT, INTEGER, REAL = "text", "integer", "real"

RESULTS = {
    "result_id": TEXT, "provider": TEXT, "instance_key": TEXT, "region": TEXT, "gpu_model": TEXT, "gpu_variant": TEXT,
    "gpu_count_micro": INTEGER, "gpus_used_micro": INTEGER, "gpu_memory_mib": INTEGER, "vcpus_milli": INTEGER,
    "memory_mib": INTEGER, "pricing_model": TEXT, "commitment_months": INTEGER, "measured_at_ms": INTEGER, "score": REAL,
}  # fmt: skip
PRICES = {
    "price_id": TEXT, "series_identity": TEXT, "provider": TEXT, "instance_key": TEXT, "offer_key": TEXT,
    "region": TEXT, "gpu_model": TEXT, "gpu_variant": TEXT, "gpu_count_micro": INTEGER, "gpu_memory_mib": INTEGER,
    "vcpus_milli": INTEGER, "memory_mib": INTEGER, "pricing_model": TEXT, "commitment_months": INTEGER, "os": TEXT,
    "tenancy": TEXT, "price_basis": TEXT, "component_missing": INTEGER, "amount": TEXT, "currency": TEXT, "unit": TEXT,
    "fx_rate": TEXT, "fx_date": TEXT, "tax": TEXT, "price_instance_hour_micro": INTEGER,
    "price_instance_hour_usd_micro": INTEGER, "price_gpu_hour_usd_micro": INTEGER, "valid_from_ms": INTEGER,
    "valid_to_ms": INTEGER, "observed_at_ms": INTEGER, "as_of_precision": TEXT, "source_kind": TEXT, "source_ref": TEXT,
}  # fmt: skip
OPTIONS = {
    "pricing_model": TEXT, "commitment_months": INTEGER, "max_age_days": INTEGER, "rental_equivalent": INTEGER,
    "cost_basis": TEXT, "os": TEXT, "tenancy": TEXT,
}  # fmt: skip
OUTPUT = [
    "result_id", "match_level", "reason", "price_id", "price_provider", "source_ref", "amount", "currency", "unit",
    "fx_rate", "fx_date", "price_instance_hour_usd_micro", "price_gpu_hour_usd_micro", "candidates",
    "lowest_gpu_hour_usd_micro", "highest_gpu_hour_usd_micro", "region_match", "memory_check", "variant_check",
    "count_scaled", "age_days", "stale", "as_of_precision", "tax", "pricing_model", "pricing_model_assumed", "cost_basis",
    "cost_hour_usd_micro", "score_per_usd_hour",
]  # fmt: skip
WHOLE_NUMBERS = [column for column in OUTPUT if column.endswith("_micro")] + [
    "candidates", "count_scaled", "age_days", "stale", "pricing_model_assumed",
]  # fmt: skip


def whole(devices):
    return round(devices * 1_000_000)


def options(**changes):
    row = dict(pricing_model=None, commitment_months=None, max_age_days=90, rental_equivalent=0, cost_basis="machine",
               os="linux", tenancy="shared")
    row.update(changes)
    return row


def result(result_id, gpu_model, **changes):
    """One V100 of 32 GiB at tencent, type "gn10", in region r1, measured at NOON."""
    row = dict(result_id=result_id, provider="tencent", instance_key="gn10", region="r1", gpu_model=gpu_model,
               gpu_variant=None, gpu_count_micro=whole(1), gpus_used_micro=None, gpu_memory_mib=32_510,
               vcpus_milli=10_000, memory_mib=40_960, pricing_model="on_demand", commitment_months=None,
               measured_at_ms=NOON, score=40.0)
    row.update(changes)
    return row


def price(price_id, gpu_model, usd_micro=1_720_000, **changes):
    """What result() asks for, at 1.72 USD per instance-hour since midnight; per-GPU price by count."""
    count = changes.get("gpu_count_micro", whole(1))
    row = dict(price_id=price_id, series_identity=price_id, provider="tencent", instance_key="gn10", offer_key=None,
               region="r1", gpu_model=gpu_model, gpu_variant=None, gpu_count_micro=count, gpu_memory_mib=32_768,
               vcpus_milli=10_000, memory_mib=40_960, pricing_model="on_demand", commitment_months=None, os="linux",
               tenancy="shared", price_basis="instance", component_missing=0, amount="1.72", currency="USD",
               unit="hour", fx_rate="1", fx_date=None, tax="excluded", price_instance_hour_micro=usd_micro,
               price_instance_hour_usd_micro=usd_micro,
               price_gpu_hour_usd_micro=None if usd_micro is None else usd_micro * 1_000_000 // count,
               valid_from_ms=MIDNIGHT, valid_to_ms=None, observed_at_ms=MIDNIGHT, as_of_precision="day",
               source_kind="catalog", source_ref="file line " + price_id)
    row.update(changes)
    return row
