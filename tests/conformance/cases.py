"""One case for each rule of the join in docs/PRICES.md: prices, a result, options, and what must come out.

Every case has a GPU model of its own, so that all of them can lie in one pair of tables without touching each other.
"""

from tables import DAY_MS, MIDNIGHT, NOON, options, price, result, whole

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
    expected = {key: f"{name}-{value}" if key == "price_id" and value else value for key, value in expected.items()}
    for each in prices:
        each["price_id"] = f"{name}-{each['price_id']}"
    return prices, row, chosen, expected


NONE = dict(match_level="none", price_id=None, price_provider=None, source_ref=None, amount=None, currency=None,
            unit=None, fx_rate=None, fx_date=None, price_instance_hour_usd_micro=None, price_gpu_hour_usd_micro=None,
            candidates=0, lowest_gpu_hour_usd_micro=None, highest_gpu_hour_usd_micro=None, region_match=None,
            memory_check=None, variant_check=None, count_scaled=None, age_days=None, stale=None, as_of_precision=None,
            tax=None, cost_basis=None, cost_hour_usd_micro=None, score_per_usd_hour=None)


def none(reason):
    return dict(NONE, reason=reason)


# --- step 1 to 5: which rows are eligible, and the reason when a step leaves none ----------------------------------


@case
def no_gpu_price(gpu):
    return [price("other", gpu + " of another kind")], {}, none("no_gpu_price")


@case
def no_gpu_in_the_machine(gpu):
    return [price("a", gpu)], dict(gpu_model=None, gpu_count_micro=0), none("no_gpu_price")


@case
def memory_differs(gpu):
    return [price("16", gpu, gpu_memory_mib=16_384)], {}, none("memory_differs")


@case
def memory_ten_per_cent_less_is_the_same(gpu):
    return [price("a", gpu, gpu_memory_mib=36_864)], dict(gpu_memory_mib=40_960), dict(
        match_level="exact_offer", memory_check="equal")


@case
def memory_more_than_ten_per_cent_less_differs(gpu):
    return [price("a", gpu, gpu_memory_mib=36_863)], dict(gpu_memory_mib=40_960), none("memory_differs")


@case
def memory_of_80_and_94_is_told_apart(gpu):
    return [price("94", gpu, gpu_memory_mib=94 * 1024)], dict(gpu_memory_mib=80 * 1024), none("memory_differs")


@case
def memory_unknown_in_the_price_is_compatible_and_flagged(gpu):
    return [price("a", gpu, gpu_memory_mib=None)], {}, dict(price_id="a", memory_check="unknown")


@case
def memory_unknown_in_the_result_is_compatible_and_flagged(gpu):
    return [price("a", gpu)], dict(gpu_memory_mib=None), dict(price_id="a", memory_check="unknown")


@case
def variant_differs(gpu):
    return [price("a", gpu, gpu_variant="PCIe")], dict(gpu_variant="SXM2"), none("variant_differs")


@case
def variant_equal(gpu):
    prices = [price("pcie", gpu, 1, gpu_variant="PCIe"), price("sxm", gpu, gpu_variant="SXM2")]
    return prices, dict(gpu_variant="SXM2"), dict(price_id="sxm", variant_check="equal", candidates=1)


@case
def variant_unknown_is_compatible_and_flagged(gpu):
    return [price("a", gpu)], dict(gpu_variant="SXM2"), dict(price_id="a", variant_check="unknown")


@case
def memory_is_the_reason_before_variant(gpu):
    prices = [price("a", gpu, gpu_memory_mib=16_384), price("b", gpu, gpu_memory_mib=16_384, gpu_variant="PCIe")]
    return prices, dict(gpu_variant="SXM2"), none("memory_differs")


@case
def no_pricing_class(gpu):
    prices = [price(model, gpu, pricing_model=model) for model in ("spot", "reserved", "monthly", "preemptible")]
    return prices, {}, none("no_pricing_class")


@case
def spot_is_preemptible(gpu):
    return [price("a", gpu, pricing_model="spot")], dict(pricing_model="preemptible"), dict(
        match_level="exact_offer", pricing_model="spot")


@case
def preemptible_is_spot(gpu):
    return [price("a", gpu, pricing_model="preemptible")], dict(pricing_model="spot"), dict(match_level="exact_offer")


@case
def monthly_is_not_on_demand(gpu):
    return [price("a", gpu)], dict(pricing_model="monthly"), none("no_pricing_class")


@case
def reserved_needs_the_same_term(gpu):
    prices = [price("12", gpu, pricing_model="reserved", commitment_months=12)]
    return prices, dict(pricing_model="reserved", commitment_months=36), none("no_pricing_class")


@case
def reserved_of_the_same_term(gpu):
    prices = [price(str(m), gpu, pricing_model="reserved", commitment_months=m) for m in (12, 36)]
    return prices, dict(pricing_model="reserved", commitment_months=36), dict(price_id="36", candidates=1)


@case
def reserved_of_unknown_term_matches_none(gpu):
    prices = [price("a", gpu, pricing_model="reserved", commitment_months=None)]
    return prices, dict(pricing_model="reserved"), none("no_pricing_class")


@case
def on_demand_is_assumed_and_flagged(gpu):
    return [price("a", gpu)], dict(pricing_model=None), dict(price_id="a", pricing_model="on_demand",
                                                             pricing_model_assumed=1)


@case
def wanted_pricing_model_overrides(gpu):
    prices = [price("a", gpu), price("b", gpu, pricing_model="spot")]
    return prices, {}, dict(price_id="b", pricing_model="spot", pricing_model_assumed=0), dict(pricing_model="spot")


@case
def amount_missing(gpu):
    return [price("a", gpu, None, amount=None)], {}, none("amount_missing")


@case
def zero_price(gpu):
    return [price("a", gpu, 0, amount="0.00")], {}, none("zero_price")


@case
def component_missing(gpu):
    prices = [price("derived", gpu, component_missing=1), price("host", gpu, price_basis="vm_only")]
    return prices, {}, none("component_missing")


@case
def fx_missing(gpu):
    prices = [price("a", gpu, None, amount="12", currency="CNY", price_instance_hour_micro=12_000_000)]
    return prices, {}, none("fx_missing")


@case
def undated(gpu):
    return [price("a", gpu, valid_from_ms=None)], {}, none("undated")


@case
def not_an_offer(gpu):
    return [price(basis, gpu, price_basis=basis) for basis in ("storage", "uncertain", "vm_only", "gpu_addon")], {}, none(
        "not_an_offer")


@case
def windows_is_not_joined_by_default(gpu):
    return [price("a", gpu, os="windows")], {}, none("not_an_offer")


@case
def dedicated_is_not_joined_by_default(gpu):
    return [price("a", gpu, tenancy="dedicated")], {}, none("not_an_offer")


@case
def windows_on_request(gpu):
    return [price("a", gpu, os="windows"), price("b", gpu, 1)], {}, dict(price_id="a"), dict(os="windows")


@case
def reasons_of_unusable_rows_in_their_precedence(gpu):
    prices = [price("a", gpu, price_basis="storage"), price("b", gpu, valid_from_ms=None),
              price("c", gpu, None, price_instance_hour_micro=5), price("d", gpu, component_missing=1),
              price("e", gpu, 0)]
    return prices, {}, none("zero_price")


@case
def one_row_with_several_problems_has_the_first(gpu):
    return [price("a", gpu, None, amount=None, price_basis="uncertain", valid_from_ms=None)], {}, none("amount_missing")


@case
def a_usable_row_beats_unusable_ones(gpu):
    prices = [price("a", gpu, None, amount=None), price("b", gpu, price_basis="uncertain"), price("c", gpu)]
    return prices, {}, dict(price_id="c", candidates=1)


@case
def valid_from_is_closed(gpu):
    return [price("a", gpu, valid_from_ms=NOON)], {}, dict(price_id="a", match_level="exact_offer")


@case
def not_yet_valid(gpu):
    return [price("a", gpu, valid_from_ms=NOON + 1)], {}, none("not_yet_valid")


@case
def valid_to_is_open(gpu):
    return [price("a", gpu, valid_to_ms=NOON)], {}, none("expired")


@case
def the_last_instant_is_valid(gpu):
    return [price("a", gpu, valid_to_ms=NOON + 1)], {}, dict(price_id="a")


@case
def not_yet_valid_before_expired(gpu):
    return [price("a", gpu, valid_to_ms=NOON), price("b", gpu, valid_from_ms=NOON + DAY_MS)], {}, none("not_yet_valid")


@case
def a_later_price_is_never_used(gpu):
    prices = [price("old", gpu, 5_000_000, valid_to_ms=NOON + 1), price("new", gpu, 1_000_000, valid_from_ms=NOON + 1)]
    return prices, {}, dict(price_id="old", price_instance_hour_usd_micro=5_000_000)


# --- level ----------------------------------------------------------------------------------------------------------


@case
def exact_offer_by_instance_type(gpu):
    prices = [price("a", gpu), price("b", gpu, 1, instance_key="other")]
    return prices, {}, dict(match_level="exact_offer", reason=None, price_id="a", region_match="equal", count_scaled=0,
                            price_provider="tencent", candidates=1)


@case
def exact_offer_by_offer_id(gpu):
    prices = [price("a", gpu, instance_key=None, offer_key="gn10"), price("b", gpu, 1, instance_key="other")]
    return prices, {}, dict(match_level="exact_offer", price_id="a")


@case
def exact_offer_where_one_price_holds_everywhere(gpu):
    return [price("a", gpu, region="*")], {}, dict(match_level="exact_offer", region_match="global")


@case
def exact_offer_where_the_price_has_no_region(gpu):
    return [price("a", gpu, region=None)], {}, dict(match_level="exact_offer", region_match="unknown")


@case
def exact_offer_where_the_result_has_no_region(gpu):
    return [price("a", gpu)], dict(region=None), dict(match_level="exact_offer", region_match="unknown")


@case
def another_region_is_not_the_exact_offer(gpu):
    return [price("a", gpu, region="r2")], {}, dict(match_level="provider_gpu", region_match="different")


@case
def another_count_is_not_the_exact_offer(gpu):
    return [price("a", gpu, 4_000_000, gpu_count_micro=whole(2))], {}, dict(
        match_level="gpu_only", count_scaled=1, price_gpu_hour_usd_micro=2_000_000,
        price_instance_hour_usd_micro=2_000_000)


@case
def provider_gpu(gpu):
    return [price("a", gpu, instance_key="other")], {}, dict(match_level="provider_gpu", count_scaled=0)


@case
def provider_gpu_without_an_instance_type(gpu):
    return [price("a", gpu, instance_key=None)], dict(instance_key=None), dict(match_level="provider_gpu")


@case
def gpu_only_of_another_provider(gpu):
    return [price("a", gpu, provider="lambda")], {}, dict(match_level="gpu_only", count_scaled=0, price_provider="lambda",
                                                          region_match="different")


@case
def regions_are_compared_inside_one_provider_only(gpu):
    prices = [price("a", gpu, 2_000_000, provider="lambda", region="r1"),
              price("b", gpu, 1_000_000, provider="azure", region="z9")]
    return prices, {}, dict(match_level="gpu_only", region_match="different", candidates=2, price_id="b")


@case
def the_best_level_wins_even_if_stale(gpu):
    prices = [price("exact", gpu, observed_at_ms=NOON - 200 * DAY_MS, valid_from_ms=NOON - 200 * DAY_MS),
              price("fresh", gpu, 1, instance_key="other")]
    return prices, {}, dict(match_level="exact_offer", price_id="exact", stale=1, age_days=200)


@case
def own_hardware_gets_no_price(gpu):
    return [price("a", gpu)], dict(provider=None), none("no_provider")


@case
def an_unknown_provider_is_none(gpu):
    return [price("a", gpu)], dict(provider="unknown"), none("no_provider")


@case
def own_hardware_on_request(gpu):
    return [price("a", gpu)], dict(provider=None), dict(match_level="gpu_only", price_id="a"), dict(rental_equivalent=1)


@case
def own_hardware_names_the_earlier_reason(gpu):
    return [price("a", gpu, valid_to_ms=NOON)], dict(provider=None), none("expired")


# --- several rows at one level --------------------------------------------------------------------------------------


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


# --- money ----------------------------------------------------------------------------------------------------------


@case
def gpu_only_is_per_gpu_times_count(gpu):
    return [price("a", gpu, provider="lambda")], dict(gpu_count_micro=whole(8), gpu_memory_mib=32_510), dict(
        match_level="gpu_only", count_scaled=1, price_instance_hour_usd_micro=13_760_000, score_per_usd_hour=40.0 * 1e6 / 13_760_000)


@case
def a_broken_count_rounds_half_to_even_down(gpu):
    return [price("a", gpu, 5, provider="lambda")], dict(gpu_count_micro=500_000), dict(price_instance_hour_usd_micro=2)


@case
def a_broken_count_rounds_half_to_even_up(gpu):
    return [price("a", gpu, 3, provider="lambda")], dict(gpu_count_micro=2_500_000), dict(
        price_instance_hour_usd_micro=8)


@case
def a_broken_count_rounds_up_above_half(gpu):
    return [price("a", gpu, 5, provider="lambda")], dict(gpu_count_micro=500_001), dict(price_instance_hour_usd_micro=3)


@case
def the_whole_machine_is_paid_for(gpu):
    return [price("a", gpu, 13_780_000, gpu_count_micro=whole(8))], dict(gpu_count_micro=whole(8), gpus_used_micro=whole(2)), dict(
        cost_basis="machine", cost_hour_usd_micro=13_780_000, score_per_usd_hour=40.0 * 1e6 / 13_780_000)


@case
def the_share_of_the_gpus_used_on_request(gpu):
    return [price("a", gpu, 13_780_000, gpu_count_micro=whole(8))], dict(gpu_count_micro=whole(8), gpus_used_micro=whole(2)), dict(
        cost_basis="gpu_share", cost_hour_usd_micro=3_445_000, price_instance_hour_usd_micro=13_780_000,
        score_per_usd_hour=40.0 * 1e6 / 3_445_000), dict(cost_basis="gpu_share")


@case
def a_share_of_all_is_the_machine(gpu):
    return [price("a", gpu)], dict(gpus_used_micro=whole(1)), dict(cost_basis="machine"), dict(cost_basis="gpu_share")


@case
def no_score_gives_no_score_per_dollar(gpu):
    return [price("a", gpu)], dict(score=None), dict(price_id="a", score_per_usd_hour=None)


@case
def provenance_is_given(gpu):
    prices = [price("a", gpu, amount="12.40", currency="CNY", unit="month", fx_rate="0.139", fx_date="2023-11-14",
                    tax="unknown", as_of_precision="month")]
    return prices, {}, dict(amount="12.40", currency="CNY", unit="month", fx_rate="0.139", fx_date="2023-11-14",
                            tax="unknown", as_of_precision="month", source_ref="file line a", age_days=0)
