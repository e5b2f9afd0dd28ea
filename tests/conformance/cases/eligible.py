"""Steps 1 to 5: which rows are eligible, and the reason when a step leaves none."""

from cases.registry import case, none
from tables import DAY_MS, NOON, price


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
def variant_unknown_in_the_result_is_compatible_and_flagged(gpu):
    return [price("a", gpu, gpu_variant="PCIe")], {}, dict(price_id="a", variant_check="unknown")


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
def monthly_of_any_term(gpu):
    return [price("a", gpu, pricing_model="monthly", commitment_months=1)], dict(pricing_model="monthly"), dict(
        match_level="exact_offer", pricing_model="monthly")


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
def wanted_term_overrides(gpu):
    prices = [price(str(m), gpu, pricing_model="reserved", commitment_months=m) for m in (12, 36)]
    return prices, dict(pricing_model="reserved", commitment_months=36), dict(price_id="12", pricing_model="reserved"), dict(
        pricing_model="reserved", commitment_months=12)


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
def a_missing_component_is_why_there_is_no_amount(gpu):
    return [price("a", gpu, None, amount=None, component_missing=1)], {}, none("component_missing")


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
def prices_of_one_gpu_are_offers(gpu):
    return [price("a", gpu, price_basis="per_gpu")], {}, dict(price_id="a", match_level="exact_offer")


@case
def a_negative_amount_is_no_price(gpu):
    return [price("a", gpu, -5, amount="-5")], {}, none("zero_price")


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


@case
def count_missing(gpu):
    return [price("a", gpu)], dict(gpu_count_micro=None), none("gpu_count_missing")


@case
def count_zero(gpu):
    return [price("a", gpu)], dict(gpu_count_micro=0), none("gpu_count_missing")


@case
def count_negative(gpu):
    return [price("a", gpu)], dict(gpu_count_micro=-1_000_000, gpus_used_micro=-1_000_000), none("gpu_count_missing")


@case
def count_missing_names_the_earlier_reason(gpu):
    return [price("a", gpu, valid_to_ms=NOON)], dict(gpu_count_micro=None), none("expired")


@case
def count_missing_before_no_provider(gpu):
    return [price("a", gpu)], dict(gpu_count_micro=None, provider=None), none("gpu_count_missing")


@case
def count_missing_has_no_rental_equivalent(gpu):
    return [price("a", gpu)], dict(gpu_count_micro=None, provider=None), none("gpu_count_missing"), dict(rental_equivalent=1)


@case
def measured_at_missing(gpu):
    prices = [price("a", gpu), price("b", gpu, valid_to_ms=NOON), price("c", gpu, valid_from_ms=NOON + 1)]
    return prices, dict(measured_at_ms=None), none("measured_at_missing")


@case
def measured_at_missing_before_the_count(gpu):
    return [price("a", gpu)], dict(measured_at_ms=None, gpu_count_micro=None, provider=None), none("measured_at_missing")


@case
def an_earlier_reason_than_measured_at_missing(gpu):
    return [price("a", gpu, valid_from_ms=None)], dict(measured_at_ms=None), none("undated")


@case
def nothing_known_of_the_machine(gpu):
    return [price("a", gpu)], dict.fromkeys(
        ["provider", "instance_key", "region", "gpu_model", "gpu_count_micro", "gpu_memory_mib", "vcpus_milli", "memory_mib",
         "pricing_model", "measured_at_ms", "score"]), none("no_gpu_price")
