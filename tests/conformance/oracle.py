"""The join once more, row by row in plain Python, to compare join.sql with on worlds nobody thought of."""

import random

from tables import DAY_MS, MIDNIGHT, NOON, OUTPUT, price, result, whole

PROBLEMS = ["amount_missing", "zero_price", "component_missing", "fx_missing", "undated", "not_an_offer"]


def near(value, reference):
    return value is not None and reference is not None and 10 * abs(value - reference) <= reference


def pricing_class(model):
    return "spot" if model == "preemptible" else model


def problem(row, wanted):
    if row["component_missing"]:
        return "component_missing"
    if row["amount"] is None:
        return "amount_missing"
    if (row["price_instance_hour_micro"] or 0) <= 0:
        return "zero_price"
    if row["price_instance_hour_usd_micro"] is None:
        return "fx_missing"
    if row["valid_from_ms"] is None:
        return "undated"
    if row["price_basis"] not in ("instance", "per_gpu") or (row["os"], row["tenancy"]) != (wanted["os"], wanted["tenancy"]):
        return "not_an_offer"
    return None


def region_match(row, asked):
    if row["region"] == "*":
        return "global"
    if not asked["region"] or not row["region"]:
        return "unknown"
    return "equal" if (row["provider"], row["region"]) == (asked["provider"], asked["region"]) else "different"


def level(row, asked):
    if row["provider"] != asked["provider"] or row["gpu_count_micro"] != asked["gpu_count_micro"]:
        return 3
    named = asked["instance_key"] and asked["instance_key"] in (row["instance_key"], row["offer_key"])
    return 1 if named and region_match(row, asked) != "different" else 2


def keep(rows, condition):
    return [row for row in rows if condition(row)] or rows


def half_even(numerator, denominator):
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1))


def known_count(micro):
    return micro is not None and micro > 0


def eligible(prices, asked, wanted):
    """The rows that pass all steps, or the reason."""
    model = wanted["pricing_model"] or asked["pricing_model"] or "on_demand"
    months = wanted["commitment_months"] if wanted["commitment_months"] is not None else asked["commitment_months"]
    rows = [row for row in prices if row["gpu_model"] == asked["gpu_model"]]
    if not rows:
        return "no_gpu_price"
    unknown_memory = lambda row: row["gpu_memory_mib"] is None or asked["gpu_memory_mib"] is None
    rows = [row for row in rows if unknown_memory(row) or near(row["gpu_memory_mib"], asked["gpu_memory_mib"])]
    if not rows:
        return "memory_differs"
    rows = [row for row in rows if not asked["gpu_variant"] or row["gpu_variant"] in (None, asked["gpu_variant"])]
    if not rows:
        return "variant_differs"
    rows = [row for row in rows if pricing_class(row["pricing_model"]) == pricing_class(model)]
    if model == "reserved":
        rows = [row for row in rows if months is not None and row["commitment_months"] == months]
    if not rows:
        return "no_pricing_class"
    problems = {problem(row, wanted) for row in rows}
    if None not in problems:
        return min(problems, key=PROBLEMS.index)
    rows = [row for row in rows if problem(row, wanted) is None]
    now = asked["measured_at_ms"]
    if now is None:
        return "measured_at_missing"
    valid = [row for row in rows if row["valid_from_ms"] <= now and (row["valid_to_ms"] is None or now < row["valid_to_ms"])]
    if not valid:
        return "not_yet_valid" if any(row["valid_from_ms"] > now for row in rows) else "expired"
    if not known_count(asked["gpu_count_micro"]):
        return "gpu_count_missing"
    if not asked["provider"] and not wanted["rental_equivalent"]:
        return "no_provider"
    return valid


def candidates(rows, asked, wanted):
    best = min(level(row, asked) for row in rows)
    kinds = ["api", "catalog", "document", "manual"]
    series = {}
    for row in rows:
        if level(row, asked) == best:
            series.setdefault(row["series_identity"], []).append(row)
    rows = [min(same, key=lambda row: (kinds.index(row["source_kind"]), -row["valid_from_ms"], row["price_id"]))
            for same in series.values()]
    rows = keep(rows, lambda row: asked["measured_at_ms"] - row["observed_at_ms"] <= wanted["max_age_days"] * DAY_MS)
    for match in ("equal", "global", "unknown"):
        if any(region_match(row, asked) == match for row in rows):
            rows = [row for row in rows if region_match(row, asked) == match]
            break
    rows = keep(rows, lambda row: row["gpu_memory_mib"] is not None and asked["gpu_memory_mib"] is not None)
    if best == 3:
        rows = keep(rows, lambda row: row["provider"] == asked["provider"])
        rows = keep(rows, lambda row: row["gpu_count_micro"] == asked["gpu_count_micro"])
    rows = keep(rows, lambda row: row["vcpus_milli"] is not None and row["vcpus_milli"] == asked["vcpus_milli"])
    rows = keep(rows, lambda row: near(row["memory_mib"], asked["memory_mib"]))
    column = "price_gpu_hour_usd_micro" if best == 3 else "price_instance_hour_usd_micro"
    return best, sorted(rows, key=lambda row: (row[column], row["price_id"]))


def join(prices, asked, wanted):
    asked = dict(asked, provider=None if asked["provider"] == "unknown" else asked["provider"])
    answer = dict.fromkeys(OUTPUT)
    model = wanted["pricing_model"] or asked["pricing_model"]
    answer.update(result_id=asked["result_id"], match_level="none", candidates=0,
                  pricing_model=pricing_class(model or "on_demand"), pricing_model_assumed=int(model is None))
    rows = eligible(prices, asked, wanted)
    if isinstance(rows, str):
        return dict(answer, reason=rows)
    best, rows = candidates(rows, asked, wanted)
    row = rows[(len(rows) - 1) // 2]
    per_gpu, count = row["price_gpu_hour_usd_micro"], asked["gpu_count_micro"]
    machine = half_even(per_gpu * count, 1_000_000) if best == 3 else row["price_instance_hour_usd_micro"]
    used = asked["gpus_used_micro"] if known_count(asked["gpus_used_micro"]) else count
    share = wanted["cost_basis"] == "gpu_share" and used < count
    cost = half_even(per_gpu * used, 1_000_000) if share else machine
    age = max(0, asked["measured_at_ms"] - row["observed_at_ms"])
    for column in ("price_id", "source_ref", "amount", "currency", "unit", "fx_rate", "fx_date", "as_of_precision", "tax",
                   "price_gpu_hour_usd_micro"):
        answer[column] = row[column]
    answer.update(
        match_level=["exact_offer", "provider_gpu", "gpu_only"][best - 1], price_provider=row["provider"],
        price_instance_hour_usd_micro=machine, candidates=len(rows),
        lowest_gpu_hour_usd_micro=min(row["price_gpu_hour_usd_micro"] for row in rows),
        highest_gpu_hour_usd_micro=max(row["price_gpu_hour_usd_micro"] for row in rows),
        region_match=region_match(row, asked),
        memory_check="unknown" if None in (row["gpu_memory_mib"], asked["gpu_memory_mib"]) else "equal",
        variant_check="equal" if row["gpu_variant"] and asked["gpu_variant"] else "unknown",
        count_scaled=int(best == 3 and row["gpu_count_micro"] != count), age_days=age // DAY_MS,
        stale=int(age > wanted["max_age_days"] * DAY_MS), cost_basis="gpu_share" if share else "machine",
        cost_hour_usd_micro=cost, score_per_usd_hour=None if asked["score"] is None or cost == 0 else asked["score"] * 1_000_000 / cost)
    return answer


def random_price(dice, price_id, gpu):
    start = dice.choice([None, *[MIDNIGHT - dice.randrange(200) * DAY_MS + dice.randrange(3) * 1_800_000 for _ in range(9)]])
    usd = dice.choice([None, 0, *[dice.randrange(1, 40) * 100_003 for _ in range(12)]])
    count = dice.choice([whole(1), whole(1), whole(2), whole(8), 166_667])
    return price(
        price_id, gpu, usd, gpu_count_micro=count, series_identity=f"{gpu} {dice.randrange(12)}",
        provider=dice.choice(["tencent", "tencent", "lambda", "aws"]), region=dice.choice(["r1", "r1", "r2", "*", None]),
        instance_key=dice.choice(["gn10", "gn10", "gn7", None]), offer_key=dice.choice([None, None, "gn10"]),
        gpu_variant=dice.choice([None, None, "PCIe", "SXM2"]), gpu_memory_mib=dice.choice([32_768, 32_768, 16_384, None]),
        vcpus_milli=dice.choice([10_000, 8_000, None]), memory_mib=dice.choice([40_960, 37_000, 1_000, None]),
        pricing_model=dice.choice(["on_demand", "on_demand", "on_demand", "spot", "preemptible", "reserved", "monthly"]),
        commitment_months=dice.choice([None, 12, 36]), os=dice.choice(["linux"] * 9 + ["windows"]),
        tenancy=dice.choice(["shared"] * 9 + ["dedicated"]), component_missing=int(dice.random() < 0.05),
        price_basis=dice.choice(["instance"] * 6 + ["per_gpu"] * 3 + ["vm_only", "uncertain"]),
        amount=None if usd is None else "1.00",
        price_instance_hour_micro=dice.choice([usd, usd, usd, 7 if usd is None else usd]),
        valid_from_ms=start, observed_at_ms=(start or MIDNIGHT) + dice.randrange(60) * DAY_MS,
        valid_to_ms=None if start is None or dice.random() < 0.5 else start + 1 + dice.randrange(100) * DAY_MS // 3,
        source_kind=dice.choice(["api", "catalog", "document", "manual"]))


def random_result(dice, result_id, gpu):
    return result(
        result_id, gpu, provider=dice.choice(["tencent", "tencent", "tencent", "lambda", None, "unknown"]),
        instance_key=dice.choice(["gn10", "gn7", None]), region=dice.choice(["r1", "r2", None]),
        gpu_variant=dice.choice([None, "PCIe", "SXM2"]), gpu_memory_mib=dice.choice([32_510, 16_280, None]),
        gpu_count_micro=dice.choice([whole(1), whole(1), whole(2), whole(2), whole(8), 166_667, 1_500_000, None, 0]),
        gpus_used_micro=dice.choice([None, whole(1), 0]), vcpus_milli=dice.choice([10_000, None]),
        memory_mib=dice.choice([40_000, None]), score=dice.choice([None, dice.random() * 100]),
        pricing_model=dice.choice(["on_demand", "on_demand", None, "spot", "preemptible", "reserved", "monthly"]),
        commitment_months=dice.choice([None, 12]),
        measured_at_ms=dice.choice([None, *[NOON - dice.randrange(150) * DAY_MS // 2 + dice.randrange(3) * 1_800_000] * 19]))


def random_id(dice, world):
    """Digits and letters, longer and shorter: their order is where engines and collations could differ."""
    return f"{world}g" + "".join(dice.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=dice.randrange(5, 12)))


def random_world(seed, worlds=40, prices_each=25, results_each=12):
    """Prices and results of `worlds` GPU models that have nothing to do with each other."""
    dice = random.Random(seed)
    prices, results = [], []
    for world in range(worlds):
        gpu = f"gpu {world}"
        prices += [random_price(dice, random_id(dice, world), gpu) for _ in range(dice.randrange(1, prices_each))]
        results += [random_result(dice, f"{world:03}-{n:03}", gpu) for n in range(results_each)]
    return prices, results
