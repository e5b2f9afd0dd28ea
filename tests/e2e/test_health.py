"""What a run says of the GPU itself: its health, its clock, its energy and its name, on fake GPUs."""

import json

import pytest
from conftest import TIME_SCALE
from test_gpu import by_status, on_fake

pytestmark = pytest.mark.skipif(TIME_SCALE > 1, reason="the release programs show it")


def verdicts(result):
    return {verdict["code"]: verdict for verdict in result["verdicts"]}


@pytest.mark.parametrize("gpu", ["K80 (one GK210)", "P4", "GH200-96GB", "RTX 4090"])
def test_a_healthy_gpu_keeps_its_name(agent, gpu):
    ran = on_fake(agent, gpu, profile="standard")
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert not {"identity_doubtful", "fewer_sms", "memory_missing", "shared_gpu", "slow_link"} & set(verdicts(result)), result["verdicts"]
    # Other tests run beside this one: the host may be busy, and is told so.
    assert set(verdicts(result)) <= {"contended", "noisy"}
    assert ("healthy: nothing suspicious" in ran.stderr) == (not result["verdicts"])
    [readback] = [m for m in result["measurements"] if m["id"] == "bandwidth/readback/dram"]
    assert readback["status"] == "ok" and readback["params"]["array_bytes"] > 0.6 * result["devices"][0]["memory_bytes"]


@pytest.mark.parametrize("gpu, fault", [("A100-SXM4-40GB", "mig"), ("A100-SXM4-40GB", "mig:0:3"), ("T4", "vgpu")])
def test_a_part_of_a_card_is_not_doubted(agent, gpu, fault):
    result = json.loads(on_fake(agent, gpu, faults=[fault], profile="standard").stdout)
    assert not {"identity_doubtful", "fewer_sms", "memory_missing"} & set(verdicts(result)), result["verdicts"]


def test_memory_that_is_not_there_is_a_wrong_result(agent):
    ran = on_fake(agent, "T4", faults=["alias"], profile="standard")
    assert ran.returncode == 5, ran.stderr
    result = json.loads(ran.stdout)
    assert [m["id"] for m in by_status(result, "wrong_result")] == ["bandwidth/readback/dram"]
    assert "does not read back" in verdicts(result)["memory_missing"]["message"]
    assert "does not read back" in " ".join(ran.stderr.split())


@pytest.mark.parametrize("faults", [[], ["nvml_denied"]])
def test_the_clock_is_stamped_without_nvml(agent, faults):
    result = json.loads(on_fake(agent, "A100-SXM4-40GB", faults=faults).stdout)
    stamped = [m for m in result["measurements"] if m["telemetry"] and "sm_clock_stamped_mhz" in m["telemetry"]]
    assert {"gemm", "bandwidth", "compute"} == {m["workload"] for m in stamped}
    for m in stamped:
        assert 1300 < m["telemetry"]["sm_clock_stamped_mhz"] < 1420
        assert m["telemetry"].get("multiprocessors_stamped", 108) == 108
    if faults:
        assert all("gpu" not in m["telemetry"] or m["telemetry"]["gpu"]["sm_clock_mhz"] is None for m in stamped)
        assert "identity_doubtful" not in verdicts(result)


def test_a_throttled_clock_is_seen_in_the_stamps(agent):
    result = json.loads(on_fake(agent, "A100-SXM4-40GB", faults=["throttle", "nvml_denied"]).stdout)
    clocks = [m["telemetry"]["sm_clock_stamped_mhz"] for m in result["measurements"] if m["workload"] == "compute"]
    assert clocks and all(clock < 0.65 * 1410 for clock in clocks)


def test_energy_follows_from_the_power_under_load(agent):
    ran = on_fake(agent, "T4", profile="standard")
    result = json.loads(ran.stdout)
    under_load = [m["telemetry"]["gpu"]["mean_power_w"] for m in result["measurements"] if m["regime"] == "sustained"]
    rates = {w["name"]: w["samples_per_s"] for w in result["score"]["workloads"] if w["precision"] == "fp16"}
    energies = {e["name"]: e["joules"] for e in result["unit_energies"]}
    assert len(energies) == 8 and max(under_load) < 70
    for name, joules in energies.items():
        assert joules == pytest.approx(max(under_load) / rates[name], rel=1e-3)
    assert "per watt" in ran.stderr and "J each" in ran.stderr


@pytest.mark.parametrize("faults, profile", [(["nvml_denied"], "standard"), ([], "quick")])
def test_energy_is_null_where_the_power_under_load_is_unknown(agent, faults, profile):
    result = json.loads(on_fake(agent, "T4", faults=faults, profile=profile).stdout)
    assert result["unit_energies"] and all(e["joules"] is None for e in result["unit_energies"])
    assert any(u["path"] == "/unit_energies" and u["reason"] for u in result["unknown"])


def test_errors_that_were_counted_are_told(agent):
    result = json.loads(on_fake(agent, "T4", faults=["ecc::3"], seconds=60).stdout)
    health = result["devices"][0]["health"]
    assert (health["ecc_uncorrected_before"], health["ecc_uncorrected_after"]) == (0, 3)
    assert "3 uncorrectable" in verdicts(result)["ecc_errors"]["message"]


def test_a_neighbour_is_suspected_when_nothing_else_explains_the_spread(agent):
    result = json.loads(on_fake(agent, "A100-SXM4-40GB", faults=["neighbour"], profile="standard").stdout)
    assert "shared_gpu" in verdicts(result), result["verdicts"]
    assert "identity_doubtful" not in verdicts(result), result["verdicts"]


@pytest.mark.parametrize("fault, reason", [("overheat", "hw_thermal_slowdown"), ("throttle", "hw_thermal_slowdown"), ("power_cap", "sw_power_cap")])
def test_heat_and_power_are_named_and_nobody_is_accused(agent, fault, reason):
    # Heat comes after 20 s of load, more than a standard run has.
    soak = ["--soak", "60"] if fault == "overheat" else []
    result = json.loads(on_fake(agent, "A100-SXM4-40GB", *soak, faults=[fault], profile="standard").stdout)
    seen = [m["telemetry"]["gpu"]["event_reasons_s"] for m in result["measurements"] if m["telemetry"] and "gpu" in m["telemetry"]]
    assert any(reason in reasons for reasons in seen)
    assert not {"identity_doubtful", "shared_gpu", "fewer_sms"} & set(verdicts(result)), result["verdicts"]
