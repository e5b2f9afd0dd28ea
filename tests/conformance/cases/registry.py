"""How a case is written: a function of a GPU model that gives prices, a result, options, and what must come out.

Every case has a GPU model of its own, so that all of them can lie in one pair of tables without touching each other.
"""

from tables import options, result

CASES = {}


def case(function):
    """Registers a case under its name: a function of the GPU model that returns prices, result changes, expectation
    and, if need be, options."""
    CASES[function.__name__] = function
    return function


def given(name):
    """(prices, result, options, expected) of the case."""
    parts = CASES[name](name)
    prices, changes, expected = parts[:3]
    chosen = options(**(parts[3] if len(parts) > 3 else {}))
    row = result("r-" + name, name)
    row.update(changes)
    if expected.get("price_id"):
        expected = dict(expected, price_id=unique_id(name, expected["price_id"]))
    for each in prices:
        each["price_id"] = unique_id(name, each["price_id"])
        each["series_identity"] = f"{name} {each['series_identity']}"
    return prices, row, chosen, expected


def unique_id(name, price_id):
    """The id among those of all cases, of the letters that ids may have."""
    return f"{name}0{price_id}".replace("_", "")


NONE = dict(match_level="none", price_id=None, price_provider=None, source_ref=None, amount=None, currency=None,
            unit=None, fx_rate=None, fx_date=None, price_instance_hour_usd_micro=None, price_gpu_hour_usd_micro=None,
            candidates=0, lowest_gpu_hour_usd_micro=None, highest_gpu_hour_usd_micro=None, region_match=None,
            memory_check=None, variant_check=None, count_scaled=None, age_days=None, stale=None, as_of_precision=None,
            tax=None, cost_basis=None, cost_hour_usd_micro=None, score_per_usd_hour=None)


def none(reason):
    return dict(NONE, reason=reason)
