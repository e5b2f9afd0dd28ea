"""Millions of runs, written into the store past the collector: what headlines and aggregates are made of."""

import time

MODELS = ["Tesla V100", "Tesla T4", "A100-SXM4-80GB", "H100 SXM5", "L4", "A10G", "RTX 4090", "RTX 3090", "L40S", "B200"]
QUESTIONS = [
    "/v1/gpus",
    "/v1/gpus?gpu_model=Tesla%20V100",
    "/v1/offers",
    "/v1/offers?gpu_model=Tesla%20V100&provider=provider-3",
    "/v1/percentile?gpu_model=Tesla%20V100&gpu_count=1&score_version=0.2&score=50",
    "/v1/results",
    "/v1/results?gpu_model=Tesla%20V100&limit=500",
    "/v1/results?provider=provider-3&region=region-5",
    "/v1/results?gpu_model=Tesla%20V100&provider=nobody",
    "/v1/results?region=nowhere",
    "/v1/results?started_before=2020-01-01",
    "/v1/results?trust=attested",
]

# One machine in eight runs: 1.25 million keys at 10 million runs. {number} is the row's, counted from 0; the
# columns are arithmetic on it, so that both engines make the same rows.
COLUMNS = {
    "run_id": "{run_id}",
    "body_sha256": "'-'",
    "agent_key": "'key-' || ({number} / 8)",
    "received_at_ms": "{now_ms} - 7776000 * ({number} % 1000) - {number} / 1000",
    "simulated": "0",
    "trust": "'self_reported'",
    "started_at_ms": "{now_ms} - 7000000 * ({number} % 1000) - 60000",
    "provider": "'provider-' || ({number} % 7)",
    "instance_type": "'type-' || ({number} % 3)",
    "region": "'region-' || ({number} % 11)",
    "pricing_model": "'on_demand'",
    "gpu_model": "CASE {number} / 8 % 10 " + " ".join(f"WHEN {at} THEN '{name}'" for at, name in enumerate(MODELS)) + " END",
    "gpu_count": "1",
    "gpu_memory_bytes": "17179869184",
    "score_version": "'0.2'",
    "score": "10 + {number} / 8 % 10 * 9 + {number} % 997 / 200.0",
    "instance_key": "'type-' || ({number} % 3)",
    "vcpus_milli": "8000",
    "memory_mib": "65536",
}


def fill(store, count):
    now_ms = int(time.time() * 1000)
    if store.server:
        run_id = "'00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0')"
        numbers = f"generate_series(0::BIGINT, {count - 1}) AS numbers(number)"
        before, after = "", "ANALYZE run;"
    else:
        run_id = "printf('00000000-0000-7000-8000-%012x', number)"
        numbers = f"(WITH RECURSIVE n(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM n WHERE number < {count - 1}) SELECT number FROM n)"
        # Of no use once the server has the file.
        before, after = "PRAGMA cache_size = -1000000; PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL;", "PRAGMA wal_checkpoint(TRUNCATE);"
    values = ", ".join(column.format(number="number", now_ms=now_ms, run_id=run_id) for column in COLUMNS.values())
    store.execute(f"{before} INSERT INTO run ({', '.join(COLUMNS)}) SELECT {values} FROM {numbers}; {after}")
