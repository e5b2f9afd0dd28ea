"""Several rows at one level: one of each series, then what each step keeps, then the lower median."""

from cases.registry import case
from tables import DAY_MS, MIDNIGHT, NOON, price, whole


@case
def one_row_per_series_by_source_kind(gpu):
    prices = [price(kind, gpu, 1_000_000 + n, source_kind=kind, series_identity=gpu)
              for n, kind in enumerate(("manual", "document", "catalog", "api"))]
    return prices, {}, dict(price_id="api", candidates=1)


@case
def one_row_per_series_by_latest_start(gpu):
    prices = [price("a", gpu, 1, series_identity=gpu, valid_from_ms=MIDNIGHT - 5),
              price("b", gpu, 2, series_identity=gpu, valid_from_ms=MIDNIGHT)]
    return prices, {}, dict(price_id="b", candidates=1)


@case
def one_row_per_series_by_price_id_last(gpu):
    prices = [price(name, gpu, usd, series_identity=gpu) for name, usd in (("b", 1), ("a", 2), ("c", 3))]
    return prices, {}, dict(price_id="a", candidates=1)


@case
def an_expired_row_thins_no_series(gpu):
    prices = [price("api", gpu, 1, series_identity=gpu, source_kind="api", valid_to_ms=NOON),
              price("document", gpu, 2, series_identity=gpu, source_kind="document")]
    return prices, {}, dict(price_id="document", candidates=1)


@case
def a_series_is_thinned_within_its_level(gpu):
    prices = [price("api", gpu, 1, series_identity=gpu, source_kind="api", instance_key="other"),
              price("document", gpu, 2, series_identity=gpu, source_kind="document")]
    return prices, {}, dict(price_id="document", match_level="exact_offer", candidates=1)


@case
def series_are_thinned_before_narrowing(gpu):
    """The catalogue's row of the series is out although it alone is fresh."""
    prices = [price("api", gpu, 1, series_identity=gpu, source_kind="api", observed_at_ms=NOON - 100 * DAY_MS),
              price("catalog", gpu, 2, series_identity=gpu)]
    return prices, {}, dict(price_id="api", stale=1, candidates=1)


@case
def fresh_over_stale(gpu):
    prices = [price("a", gpu, 1, observed_at_ms=NOON - 91 * DAY_MS), price("b", gpu, 9)]
    return prices, {}, dict(price_id="b", candidates=1, stale=0)


@case
def exactly_the_maximum_age_is_fresh(gpu):
    return [price("a", gpu, observed_at_ms=NOON - 90 * DAY_MS)], {}, dict(stale=0, age_days=90)


@case
def a_millisecond_over_the_maximum_age_is_stale(gpu):
    return [price("a", gpu, observed_at_ms=NOON - 90 * DAY_MS - 1)], {}, dict(stale=1, age_days=90)


@case
def another_maximum_age(gpu):
    return [price("a", gpu, observed_at_ms=NOON - 3 * DAY_MS)], {}, dict(stale=1, age_days=3), dict(max_age_days=2)


@case
def a_price_confirmed_after_the_measurement_has_no_age(gpu):
    return [price("a", gpu, observed_at_ms=NOON + 5 * DAY_MS)], {}, dict(stale=0, age_days=0)


@case
def a_price_observed_before_it_holds_ages_from_the_observation(gpu):
    """Announced ahead: stale from its first instant on, and out where another is fresh."""
    prices = [price("a", gpu, 1, valid_from_ms=NOON, observed_at_ms=NOON - 91 * DAY_MS)]
    return prices, {}, dict(price_id="a", stale=1, age_days=91)


@case
def fresh_by_another_maximum_age(gpu):
    prices = [price("a", gpu, 1, observed_at_ms=NOON - 2 * DAY_MS - 1), price("b", gpu, 9, observed_at_ms=NOON - 2 * DAY_MS)]
    return prices, {}, dict(price_id="b", candidates=1, stale=0, age_days=2), dict(max_age_days=2)


def regions(gpu, *which):
    rows = {"equal": price("equal", gpu, 4, instance_key=None), "global": price("global", gpu, 3, instance_key=None, region="*"),
            "unknown": price("unknown", gpu, 2, instance_key=None, region=None),
            "different": price("different", gpu, 1, instance_key=None, region="r2")}
    return [rows[name] for name in which]


@case
def region_equal_first(gpu):
    return regions(gpu, "equal", "global", "unknown", "different"), {}, dict(price_id="equal", candidates=1)


@case
def region_global_second(gpu):
    return regions(gpu, "global", "unknown", "different"), {}, dict(price_id="global", candidates=1)


@case
def region_unknown_third(gpu):
    return regions(gpu, "unknown", "different"), {}, dict(price_id="unknown", candidates=1)


@case
def region_different_where_nothing_else_is_left(gpu):
    return regions(gpu, "different"), {}, dict(price_id="different", candidates=1, match_level="provider_gpu")


@case
def freshness_before_region(gpu):
    prices = [price("equal", gpu, instance_key=None, observed_at_ms=NOON - 91 * DAY_MS),
              price("different", gpu, instance_key=None, region="r2")]
    return prices, {}, dict(price_id="different")


@case
def known_memory_over_unknown(gpu):
    prices = [price("a", gpu, 1, gpu_memory_mib=None), price("b", gpu, 2)]
    return prices, {}, dict(price_id="b", candidates=1, memory_check="equal")


@case
def region_before_memory(gpu):
    prices = [price("a", gpu, 2, gpu_memory_mib=None), price("b", gpu, 1, region="*")]
    return prices, {}, dict(price_id="a", candidates=1, region_match="equal", memory_check="unknown")


@case
def memory_before_the_provider_at_gpu_only(gpu):
    prices = [price("a", gpu, 2_000_000, gpu_count_micro=whole(2), gpu_memory_mib=None, region="*"),
              price("b", gpu, 9_000_000, provider="lambda", region="*")]
    return prices, {}, dict(price_id="b", match_level="gpu_only", candidates=1)


@case
def same_provider_first_at_gpu_only(gpu):
    prices = [price("a", gpu, 1_000_000, provider="lambda", region="*"),
              price("b", gpu, 4_000_000, region="*", gpu_count_micro=whole(2))]
    return prices, {}, dict(price_id="b", match_level="gpu_only", price_instance_hour_usd_micro=2_000_000)


@case
def same_count_next_at_gpu_only(gpu):
    prices = [price("a", gpu, 1_000_000, provider="lambda"),
              price("b", gpu, 1_000_000, provider="lambda", gpu_count_micro=whole(2))]
    return prices, {}, dict(price_id="a", match_level="gpu_only", count_scaled=0, candidates=1)


@case
def the_provider_before_the_count_at_gpu_only(gpu):
    prices = [price("a", gpu, 1_000_000, provider="lambda", region="*"),
              price("b", gpu, 16_000_000, region="*", gpu_count_micro=whole(8), vcpus_milli=1, memory_mib=1)]
    return prices, {}, dict(price_id="b", price_provider="tencent", count_scaled=1, candidates=1)


@case
def the_count_before_vcpus_at_gpu_only(gpu):
    prices = [price("a", gpu, 1_000_000, provider="lambda", gpu_count_micro=whole(2)),
              price("b", gpu, 9_000_000, provider="lambda", vcpus_milli=None, memory_mib=None)]
    return prices, {}, dict(price_id="b", count_scaled=0, candidates=1)


@case
def equal_vcpus(gpu):
    prices = [price("a", gpu, 1, vcpus_milli=8_000), price("b", gpu, 1, vcpus_milli=None), price("c", gpu, 2)]
    return prices, {}, dict(price_id="c", candidates=1)


@case
def vcpus_are_ignored_where_none_is_equal(gpu):
    prices = [price("a", gpu, 1, vcpus_milli=8_000), price("b", gpu, 2, vcpus_milli=None)]
    return prices, {}, dict(price_id="a", candidates=2)


@case
def host_memory_within_ten_per_cent(gpu):
    prices = [price("a", gpu, 1, memory_mib=20_480), price("b", gpu, 2, memory_mib=40_960 - 4_096),
              price("c", gpu, 1, memory_mib=None)]
    return prices, {}, dict(price_id="b", candidates=1)


@case
def host_memory_just_over_ten_per_cent(gpu):
    prices = [price("a", gpu, 1, memory_mib=40_960 - 4_097), price("b", gpu, 2)]
    return prices, {}, dict(price_id="b", candidates=1)


@case
def host_memory_is_ignored_where_none_is_near(gpu):
    prices = [price("a", gpu, 1, memory_mib=1), price("b", gpu, 2, memory_mib=None)]
    return prices, {}, dict(price_id="a", candidates=2)


@case
def vcpus_before_host_memory(gpu):
    prices = [price("a", gpu, 1, vcpus_milli=8_000), price("b", gpu, 2, memory_mib=1_024)]
    return prices, {}, dict(price_id="b", candidates=1)


@case
def lower_median_of_two(gpu):
    prices = [price("b", gpu, 2_490_000), price("a", gpu, 3_060_000)]
    return prices, {}, dict(price_id="b", candidates=2, lowest_gpu_hour_usd_micro=2_490_000,
                            highest_gpu_hour_usd_micro=3_060_000)


@case
def lower_median_of_three(gpu):
    return [price(name, gpu, usd) for name, usd in (("x", 9), ("y", 1), ("z", 5))], {}, dict(price_id="z", candidates=3)


@case
def lower_median_of_four(gpu):
    return [price(name, gpu, usd) for name, usd in (("w", 7), ("x", 9), ("y", 1), ("z", 5))], {}, dict(
        price_id="z", candidates=4)


@case
def equal_prices_by_price_id(gpu):
    return [price(name, gpu) for name in ("c", "a", "b", "d")], {}, dict(price_id="b", candidates=4)


@case
def equal_prices_by_price_id_at_gpu_only(gpu):
    prices = [price(name, gpu, 8_000_000, provider="lambda", gpu_count_micro=whole(8)) for name in ("zz", "z", "10", "9", "a0")]
    return prices, {}, dict(price_id="a0", match_level="gpu_only", candidates=5)


@case
def the_median_is_of_instance_hours_where_counts_are_equal(gpu):
    """Per-GPU prices that say the opposite (two sources rounded differently) do not count."""
    prices = [price("a", gpu, 10, price_gpu_hour_usd_micro=9), price("b", gpu, 20, price_gpu_hour_usd_micro=1)]
    return prices, {}, dict(price_id="a")


@case
def the_median_is_of_gpu_hours_at_gpu_only(gpu):
    prices = [price("a", gpu, 8_000_000, provider="lambda", gpu_count_micro=whole(8)),
              price("b", gpu, 4_000_000, provider="azure", gpu_count_micro=whole(2))]
    return prices, {}, dict(price_id="a", price_gpu_hour_usd_micro=1_000_000, candidates=2,
                            price_instance_hour_usd_micro=1_000_000)
