"""The level of a match: what it takes to be the exact offer, what is of the provider, and what of the GPU only."""

from cases.registry import case, none
from tables import DAY_MS, NOON, price, whole


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
def the_same_name_at_another_provider_is_not_the_exact_offer(gpu):
    return [price("a", gpu, provider="lambda", offer_key="gn10", region="r1")], {}, dict(
        match_level="gpu_only", region_match="different")


@case
def gpu_only_where_one_price_holds_everywhere(gpu):
    return [price("a", gpu, provider="lambda", region="*")], {}, dict(match_level="gpu_only", region_match="global")


@case
def gpu_only_of_the_same_provider_in_an_equal_region(gpu):
    return [price("a", gpu, gpu_count_micro=whole(2))], {}, dict(match_level="gpu_only", region_match="equal", count_scaled=1)


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
