"""What several GPUs do together: NCCL's collectives on fake GPUs of one machine, and every fault they can have."""

import json

import pytest
from conftest import TIME_SCALE
from test_gpu import on_fake

KINDS = ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"]


def collectives(result):
    return [m for m in result["measurements"] if m["workload"] == "collective"]


def measured(agent, gpu, *arguments, code=0, seconds=60, **more):
    ran = on_fake(agent, gpu, *arguments, seconds=seconds * TIME_SCALE, **more)
    assert ran.returncode == code, ran.stderr
    return json.loads(ran.stdout), ran.stderr


def test_collectives_are_measured_verified_and_in_the_summary(agent):
    result, report = measured(agent, "V100-SXM2-16GB*2", profile="standard", seconds=100)
    cases = collectives(result)
    assert len(cases) == 17 and all(m["status"] == "ok" and m["device"] is None for m in cases)
    assert all(m["verification"]["passed"] and m["verification"]["positions"] >= 128 for m in cases)
    for m in cases:
        params, metric = m["params"], m["metric"]
        algbw = params["message_bytes"] / m["median_ns"]
        factor = (2 if params["kind"] == "all_reduce" else 1) * (params["ranks"] - 1) / params["ranks"]
        if params["mode"] == "bandwidth":
            assert metric["name"] == "busbw_gb_per_s" and metric["value"] == pytest.approx(algbw * factor, rel=1e-5)
        else:
            assert metric["name"] == "latency_us" and metric["value"] == pytest.approx(m["median_ns"] / 1e3, rel=1e-5)
            assert m["p99_ns"] >= m["median_ns"]
    instance = result["summary"]["instance"]
    assert sorted(instance["collective_busbw_gb_per_s"]) == sorted(KINDS)
    assert set(instance["collective_latency_us"]) == {f"all_reduce_{mode}{tail}" for mode in ("plain", "graph") for tail in ("", "_p99")}
    assert "busbw of 2 GPUs" in report and "all-reduce" in report


def test_a_quick_run_has_two_of_them_and_a_gate_holds_them(agent):
    result, report = measured(agent, "T4*2", "--require", "all_reduce.burst>=1e9", code=7)
    assert [m["params"]["mode"] for m in collectives(result)] == ["bandwidth", "graph"]
    assert "required all_reduce.burst>=1e9: not met" in report


def test_different_gpus_work_together_and_it_is_said(agent):
    result, report = measured(agent, "V100-SXM2-16GB,T4")
    assert all(m["status"] == "ok" for m in collectives(result))
    assert "different GPUs" in report


def test_without_nccl_or_among_slices_they_are_skipped_with_the_reason(agent):
    result, _ = measured(agent, "T4*2", faults=["no_nccl"])
    assert all(m["status"] == "skipped" and "NCCL" in m["reason"] for m in collectives(result)) and collectives(result)
    assert result["status"] == "complete"
    result, _ = measured(agent, "A100-SXM4-40GB*2", faults=["mig:1:3"])
    assert all(m["status"] == "skipped" and "MIG" in m["reason"] for m in collectives(result)) and collectives(result)


def test_a_wrong_sum_is_no_figure_and_the_rank_is_named(agent):
    result, _ = measured(agent, "V100-SXM2-16GB*4", faults=["wrong:2:collective"], code=5)
    assert all(m["status"] == "wrong_result" and "rank 2" in m["reason"] and m["metric"] is None for m in collectives(result))
    assert "collective_busbw_gb_per_s" not in result["summary"]["instance"]


def test_one_gpu_that_hangs_costs_the_collectives_alone(agent):
    result, _ = measured(agent, "T4*2", faults=["hang:1:collective"], code=4, seconds=45)
    cases = collectives(result)
    assert cases[0]["status"] == "failed" and cases[0]["reason"].startswith("worker_hung")
    assert "not tried again" in cases[1]["reason"]
    assert all(m["status"] == "ok" for m in result["measurements"] if m["workload"] == "bandwidth")


def test_a_gpu_that_falls_off_the_bus_meanwhile_is_named(agent):
    # Each device's headlines and link take some hundreds of operations.
    result, _ = measured(agent, "T4*2", faults=["lost:1:3000"], profile="full", code=5, seconds=100)
    lost = [m for m in result["measurements"] if m["status"] == "failed"]
    assert lost and any(reason["code"] == "hardware_fault" for reason in result["reasons"])
