"""What a match costs: counts, shares, rounding, score per dollar; and where the price came from."""

from cases.registry import case
from tables import price, whole


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
def a_cost_that_rounds_to_nothing_gives_no_score_per_dollar(gpu):
    return [price("a", gpu, 1, provider="lambda")], dict(gpu_count_micro=166_667), dict(
        match_level="gpu_only", cost_hour_usd_micro=0, score_per_usd_hour=None)


@case
def a_price_just_below_2_to_the_53_is_exact(gpu):
    return [price("a", gpu, 2**53 - 1)], {}, dict(
        price_instance_hour_usd_micro=2**53 - 1, price_gpu_hour_usd_micro=2**53 - 1, cost_hour_usd_micro=2**53 - 1,
        lowest_gpu_hour_usd_micro=2**53 - 1, highest_gpu_hour_usd_micro=2**53 - 1)


@case
def prices_next_to_each_other_below_2_to_the_53_are_told_apart(gpu):
    return [price("b", gpu, 2**53 - 2), price("a", gpu, 2**53 - 1)], {}, dict(price_id="b", candidates=2)


@case
def a_count_just_below_2_to_the_53_is_exact(gpu):
    """9 007 199 254.740991 devices at 0.000003 USD: 27 021 597 764.222973 millionths."""
    return [price("a", gpu, 3, provider="lambda")], dict(gpu_count_micro=2**53 - 1), dict(
        match_level="gpu_only", price_instance_hour_usd_micro=27_021_597_764)


@case
def the_dearest_price_of_a_million_devices_is_exact(gpu):
    return [price("a", gpu, 200_000_000, provider="lambda")], dict(gpu_count_micro=10**12 + 1), dict(
        price_instance_hour_usd_micro=200_000_000_000_200)


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
def a_share_at_gpu_only_is_of_the_price_of_one_gpu(gpu):
    changes = dict(gpu_count_micro=whole(8), gpus_used_micro=1_500_000)
    return [price("a", gpu, 2_000_001, provider="lambda")], changes, dict(
        match_level="gpu_only", cost_basis="gpu_share", price_instance_hour_usd_micro=16_000_008,
        cost_hour_usd_micro=3_000_002), dict(cost_basis="gpu_share")


@case
def no_gpu_used_is_unknown_and_the_machine(gpu):
    return [price("a", gpu)], dict(gpus_used_micro=0), dict(cost_basis="machine", cost_hour_usd_micro=1_720_000), dict(
        cost_basis="gpu_share")


@case
def more_gpus_used_than_there_are_cost_the_machine(gpu):
    return [price("a", gpu)], dict(gpus_used_micro=whole(2)), dict(cost_basis="machine", cost_hour_usd_micro=1_720_000), dict(
        cost_basis="gpu_share")


@case
def no_score_gives_no_score_per_dollar(gpu):
    return [price("a", gpu)], dict(score=None), dict(price_id="a", score_per_usd_hour=None)


@case
def provenance_is_given(gpu):
    prices = [price("a", gpu, amount="12.40", currency="CNY", unit="month", fx_rate="0.139", fx_date="2023-11-14",
                    tax="unknown", as_of_precision="month")]
    return prices, {}, dict(amount="12.40", currency="CNY", unit="month", fx_rate="0.139", fx_date="2023-11-14",
                            tax="unknown", as_of_precision="month", source_ref="file line a", age_days=0)
