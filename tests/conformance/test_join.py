"""core/sql/join.sql gives the rows of docs/PRICES.md, the same on every engine, whatever the order of its input."""

import functools
import random
import re

import pytest
from cases import CASES, given
from engines import ENGINES
from oracle import join, random_world
from tables import WHOLE_NUMBERS, options

SEED = 20231115
RANDOM_OPTIONS = [options(), options(rental_equivalent=1, cost_basis="gpu_share", max_age_days=20),
                  options(pricing_model="reserved", commitment_months=12)]


@functools.cache
def engine(name):
    return ENGINES[name]()


def joined(name, prices, results, wanted):
    rows = engine(name).join(prices=prices, results=results, options=[wanted])
    assert len(rows) == len(results), "one row for each result"
    assert len({row["price_id"] for row in prices}) == len(prices)
    assert all(re.fullmatch("[0-9a-z]{1,64}", row["price_id"]) for row in prices), "what join.sql asks of them"
    assert {type(row[column]) for row in rows for column in WHOLE_NUMBERS} <= {int, type(None)}
    return {row["result_id"]: row for row in rows}


@functools.cache
def all_cases(name):
    """The rows of every case, as few queries as there are different options."""
    groups = {}
    for case in CASES:
        prices, row, wanted, _ = given(case)
        group = groups.setdefault(tuple(wanted.items()), ([], []))
        group[0].extend(prices)
        group[1].append(row)
    rows = {}
    for wanted, (prices, results) in groups.items():
        rows.update(joined(name, prices, results, dict(wanted)))
    return rows


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_rule(case, name):
    prices, row, wanted, expected = given(case)
    got = all_cases(name)[row["result_id"]]
    assert {column: got[column] for column in expected} == expected
    assert got == join(prices, row, wanted), "the oracle"


@pytest.mark.parametrize("wanted", RANDOM_OPTIONS, ids=["default", "on_request", "reserved"])
@pytest.mark.parametrize("name", ENGINES)
def test_random_worlds(name, wanted):
    prices, results = random_world(SEED)
    got = joined(name, prices, results, wanted)
    levels = {row["match_level"] for row in got.values()}
    assert len({row["reason"] for row in got.values()} | levels) > 8, "these worlds are too simple"
    for row in results:
        assert got[row["result_id"]] == join(prices, row, wanted)


@pytest.mark.parametrize("name", ENGINES)
def test_the_order_of_rows_changes_nothing(name):
    prices, results = random_world(SEED + 1, worlds=10)
    first = joined(name, prices, results, options())
    random.Random(1).shuffle(prices)
    random.Random(2).shuffle(results)
    assert joined(name, prices, results, options()) == first
