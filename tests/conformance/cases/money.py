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
