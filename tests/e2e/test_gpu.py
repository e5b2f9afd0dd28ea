"""The whole agent on fake GPUs, from K80 to RTX 5090, and with every fault that with_fake_gpu knows."""

import json
import os
import subprocess

import pytest
from conftest import BIN, ROOT, TIME_SCALE

SEVEN = ["K80 (board)", "P100-PCIE-16GB", "V100-SXM2-16GB", "T4", "A100-SXM4-40GB", "H200-SXM", "RTX 5090"]
SANITIZED = TIME_SCALE > 1


def on_fake(agent, gpu, *arguments, faults=(), seconds=100, more=(), profile="quick"):
    """One run; `seconds` are not stretched: the fakes keep their own time."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GPUASSAY_FAKE")}
    if (BIN / "fake_gpu").is_dir():
        environment["GPUASSAY_FAKE_GPU_DIR"] = str(BIN / "fake_gpu")
    flags = [word for fault in faults for word in ("--fault", fault)]
    command = [ROOT / "scripts/with_fake_gpu", gpu, *flags, *more, "--", agent.program, "--data-dir", agent.data_dir]
    command += ["run", "--profile", profile, "--max-seconds", str(seconds), "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL, env=environment)


def by_status(result, status):
    return [m for m in result["measurements"] if m["status"] == status]


@pytest.mark.parametrize("gpu", SEVEN)
def test_a_gpu_is_measured_verified_scored_and_saved(agent, gpu):
    if SANITIZED and gpu not in ("K80 (board)", "A100-SXM4-40GB"):
        pytest.skip("two GPUs are enough under the sanitizers, where everything takes ten times as long")
    ran = on_fake(agent, gpu, seconds=300 if SANITIZED else 100)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result == agent.results()[0]
    assert result["simulated"] is True and result["status"] == "complete"
    assert len(result["devices"]) == (2 if "board" in gpu else 1)
    for device in result["devices"]:
        assert device["kind"] == "cuda" and device["simulated"] is True
        assert device["model"] and device["theoretical"] and len(device["uuid_hash"]) == 64
    assert not by_status(result, "failed") and not by_status(result, "wrong_result")
    measured = by_status(result, "ok")
    assert len(measured) > 30
    assert all(m["verification"]["passed"] and m["verification"]["positions"] > 0 for m in measured)
    # Convolutions count nominal operations: Winograd does fewer and may exceed the peak.
    peaks = [m["fraction_of_peak"] for m in measured if m["workload"] != "conv" and m["fraction_of_peak"] is not None]
    assert peaks and max(peaks) <= 1.05
    assert result["score"]["value"] > 0
    chosen = {library["name"] for library in result["libraries"] if library["chosen_for"]}
    assert {"cuda_driver", "cublas", "cudnn"} <= chosen
    assert "GPU-" not in ran.stdout, "a raw device id"


def test_the_same_gpu_scores_the_same_twice(agent):
    if SANITIZED:
        pytest.skip("the release programs show it")
    scores = [json.loads(on_fake(agent, "T4").stdout)["score"]["value"] for _ in range(2)]
    assert abs(scores[0] / scores[1] - 1) < 0.03


@pytest.mark.parametrize("gpu", ["T4", "H200-SXM"])
def test_a_standard_run_is_verified_and_kept_under_load(agent, gpu):
    ran = on_fake(agent, gpu, profile="standard")
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result["status"] == "complete" and not by_status(result, "wrong_result")
    sustained = [m for m in result["measurements"] if m["regime"] == "sustained"]
    assert [m["workload"] for m in sustained] == ["gemm", "conv", "bandwidth"]
    for m in sustained:
        assert m["steady_reached"] is True and 3 <= m["seconds_under_load"] <= 8
        assert m["telemetry"]["gpu"]["temperature_c"] is not None
    instance = result["summary"]["instance"]
    for figures in (instance["gemm_tflop_per_s"]["fp16"], instance["conv_tflop_per_s"]["fp16"], instance["bandwidth_gb_per_s"]["triad"]):
        assert 0.9 < figures["sustained"] / figures["burst"] < 1.1
    assert "sustained" in ran.stderr


def test_a_soak_finds_the_clock_that_is_left_when_it_is_hot(agent):
    cool = on_fake(agent, "A100-SXM4-40GB", "--soak", "60")
    hot = on_fake(agent, "A100-SXM4-40GB", "--soak", "60", faults=["overheat"])
    for ran in (cool, hot):
        assert ran.returncode == 0, ran.stderr
    figures = [json.loads(ran.stdout)["summary"]["instance"]["gemm_tflop_per_s"]["fp16"] for ran in (cool, hot)]
    assert figures[0]["sustained"] / figures[0]["burst"] > 0.95
    assert figures[1]["sustained"] / figures[1]["burst"] < 0.7
    codes_of = [[verdict["code"] for verdict in json.loads(ran.stdout)["verdicts"]] for ran in (cool, hot)]
    assert "falls_under_load" not in codes_of[0] and "falls_under_load" in codes_of[1]
    assert [m["steady_reached"] for m in json.loads(hot.stdout)["measurements"] if m["regime"] == "sustained"] == [True]


def test_repeated_runs_are_all_saved_and_their_spread_is_told(agent):
    ran = on_fake(agent, "T4", "--repeat", "3", "--price", "1.00", "--max-cost", "0.09")
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    saved = agent.results()
    assert [run["run_id"] for run in document["runs"]] == sorted(run["run_id"] for run in saved) and len(saved) == 3
    score = next(each for each in document["spread"] if each["path"] == "score.value")
    assert score["values"] == [run["score"] for run in document["runs"]] and score["relative_range"] < 0.03
    # Three cents each are 108 s: the other limit holds.
    assert ran.stderr.count("at most 100 s") == 3
    for more in (["--once", "boot"], ["--out", str(agent.data_dir / "x.json")]):
        refused = on_fake(agent, "T4", "--repeat", "2", *more)
        assert refused.returncode == 2 and "--repeat" in refused.stderr


def test_a_run_of_several_that_cannot_be_saved_is_in_the_one_document(agent, tmp_path):
    not_a_folder = tmp_path / "file"
    not_a_folder.write_text("")
    agent.data_dir = not_a_folder
    ran = on_fake(agent, "T4", "--repeat", "3")
    assert ran.returncode == 6, ran.stderr
    [run] = json.loads(ran.stdout)["runs"]
    assert run["exit_code"] == 6 and run["result"]["run_id"] == run["run_id"] and run["result"]["measurements"]


def test_a_soak_without_the_time_for_it_still_gives_a_figure(agent):
    ran = on_fake(agent, "T4", "--soak", "3000", seconds=30)
    assert ran.returncode == 0, ran.stderr
    [soak] = [m for m in json.loads(ran.stdout)["measurements"] if m["regime"] == "sustained"]
    assert soak["status"] == "ok" and soak["seconds_under_load"] <= 30


def test_a_gate_tells_what_is_not_met_and_saves_all_the_same(agent):
    good = ["--require", "fraction_of_expected>=0.1", "--require", "triad.burst > 1"]
    assert on_fake(agent, "T4", *good).returncode == 0
    ran = on_fake(agent, "T4", *good, "--require", "gemm_tflop_per_s.fp16.burst>=1000", "--require", "score_per_usd_hour>0")
    assert ran.returncode == 7, ran.stderr
    assert len(agent.results()) == 2 and json.loads(ran.stdout) in agent.results()
    last = ran.stderr.splitlines()[-2:]
    assert last[0].startswith("gpuassay: required gemm_tflop_per_s.fp16.burst>=1000: not met, summary.instance.gemm_tflop_per_s.fp16.burst is ")
    assert last[1] == "gpuassay: required score_per_usd_hour>0: not met, this result has no score_per_usd_hour"
    # A slow GPU is what the gate is for; one that computes wrongly is worse than slow.
    assert on_fake(agent, "T4", "--require", "fraction_of_expected>=0.8", faults=["slow:0:0.5"]).returncode == 7
    assert on_fake(agent, "T4", "--require", "score.value>=1", faults=["wrong"], seconds=30).returncode == 5


def test_a_gate_that_cannot_be_meant_costs_no_measurement(agent):
    for text in ("score", "speed>=1", "score.value>=", "score.value>=fast", "score.value=>1", "burst>=1", ""):
        ran = on_fake(agent, "T4", "--require", text)
        assert ran.returncode == 2, text
        assert len(ran.stderr.splitlines()) == 1 and "--require" in ran.stderr
    assert agent.files() == []


@pytest.mark.parametrize(
    "fault, word",
    [
        ("no_driver", "libcuda"),
        ("stub", "stub"),
        ("no_device", "no"),
        ("old_driver", "driver"),
        ("missing_symbol", "cu"),
    ],
)
def test_a_driver_that_does_not_work_is_never_replaced_by_the_cpu(agent, fault, word):
    ran = on_fake(agent, "T4", faults=[fault])
    assert ran.returncode == 3, ran.stderr
    lines = [line for line in ran.stderr.splitlines() if line]
    assert len(lines) == 1 and word in lines[0] and "--device cpu" in lines[0]
    assert ran.stdout == "" and agent.files() == []


def test_driver_faults_have_messages_of_their_own(agent):
    told = {on_fake(agent, "T4", faults=[fault]).stderr for fault in ("no_driver", "stub", "no_device", "old_driver")}
    assert len(told) == 4


@pytest.mark.parametrize("kind, workload", [("gemm", "gemm"), ("copy", "bandwidth"), ("compute", "compute")])
def test_wrong_values_of_one_kind_are_its_own(agent, kind, workload):
    if SANITIZED:
        pytest.skip("the release programs show it")
    ran = on_fake(agent, "T4", faults=[f"wrong:0:{kind}"])
    assert ran.returncode == 5, ran.stderr
    assert {m["workload"] for m in by_status(json.loads(ran.stdout), "wrong_result")} == {workload}


@pytest.mark.parametrize("fault", ["wrong", "nan"])
def test_wrong_values_are_wrong_results(agent, fault):
    ran = on_fake(agent, "T4", faults=[fault], seconds=30)
    assert ran.returncode == 5, ran.stderr
    result = json.loads(ran.stdout)
    wrong = by_status(result, "wrong_result")
    assert wrong and not any(m["metric"] for m in wrong)
    assert "wrong_result" in [v["code"] for v in result["verdicts"]]
    assert result["score"]["value"] is None


def codes(result):
    return [r["code"] for r in result["reasons"]]


def test_a_crashing_device_costs_cases_never_the_run(agent):
    ran = on_fake(agent, "T4", faults=["crash"], seconds=30)
    assert ran.returncode == 4, ran.stderr
    result = json.loads(ran.stdout)
    assert result == agent.results()[0]
    assert by_status(result, "failed") and "worker_died" in codes(result)


def test_a_broken_library_fails_its_own_cases_alone(agent):
    ran = on_fake(agent, "T4", faults=["crash:0:gemm"], seconds=60)
    assert ran.returncode == 4, ran.stderr
    result = json.loads(ran.stdout)
    failed = by_status(result, "failed")
    assert failed and {m["workload"] for m in failed} == {"gemm"}
    assert all("crashed" in m["reason"] for m in failed)
    assert not [m for m in result["measurements"] if m["workload"] == "gemm" and m["status"] != "failed"]


def test_a_library_that_does_not_load_fails_its_cases(agent):
    ran = on_fake(agent, "T4", faults=["missing_symbol::libcudnn"], seconds=60)
    assert ran.returncode == 4, ran.stderr
    failed = by_status(json.loads(ran.stdout), "failed")
    assert {m["workload"] for m in failed} == {"conv"} and all("cudnnGetVersion" in m["reason"] for m in failed)


def test_a_slow_start_is_no_fault_of_libraries(agent):
    if SANITIZED:
        pytest.skip("the release programs show it")
    ran = on_fake(agent, "T4", faults=["slow_start"], seconds=20)
    assert ran.returncode in (0, 4), ran.stderr
    result = json.loads(ran.stdout)
    assert not by_status(result, "failed") and len(by_status(result, "ok")) > 30
    assert set(codes(result)) <= {"budget"}


def test_faults_are_found_with_a_slow_nvml_too(agent):
    if SANITIZED:
        pytest.skip("the release programs show it")
    ran = on_fake(agent, "T4", faults=["slow_nvml", "ecc"], seconds=60)
    assert ran.returncode == 5 and "hardware_fault" in codes(json.loads(ran.stdout)), ran.stderr


def test_a_gpu_that_was_lost_before_is_a_hardware_fault_too(agent):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GPUASSAY_FAKE")}
    if (BIN / "fake_gpu").is_dir():
        environment["GPUASSAY_FAKE_GPU_DIR"] = str(BIN / "fake_gpu")
    run = f"'{agent.program}' --data-dir '{agent.data_dir}' run --profile quick --max-seconds 60 --quiet"
    commands = f"{run} >/dev/null 2>&1; echo $?; {run} >/dev/null 2>&1; echo $?; '{agent.program}' doctor"
    ran = subprocess.run([ROOT / "scripts/with_fake_gpu", "T4*2", "--fault", "lost:1:10", "--", "bash", "-c", commands],
                         capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL, env=environment)
    assert ran.stdout.split()[:2] == ["5", "5"], ran.stdout + ran.stderr
    assert "GPU 1 fell off the PCI bus" in " ".join(ran.stdout.split())


def test_after_a_sticky_error_a_new_process_measures_on(agent):
    ran = on_fake(agent, "T4", faults=["illegal"], seconds=60)
    assert ran.returncode == 4, ran.stderr
    result = json.loads(ran.stdout)
    failed = by_status(result, "failed")
    assert len(failed) == 1 and "700" in failed[0]["reason"] and codes(result) == ["context_lost"]
    assert len(by_status(result, "ok")) > 30


def test_a_lost_gpu_is_a_hardware_fault_and_the_other_is_measured(agent):
    ran = on_fake(agent, "T4*2", faults=["lost:1:10"], seconds=60)
    assert ran.returncode == 5, ran.stderr
    result = json.loads(ran.stdout)
    assert [r["device"] for r in result["reasons"] if r["code"] == "hardware_fault"] == [1]
    assert "hardware_fault" in [v["code"] for v in result["verdicts"]]
    # Nor can the two do anything together.
    assert {m["device"] for m in by_status(result, "failed")} - {None} == {1}
    assert len([m for m in by_status(result, "ok") if m["device"] == 0]) > 30


@pytest.mark.parametrize("fault", ["ecc", "ecc:0:fatal"])
def test_uncorrectable_memory_errors_are_a_hardware_fault(agent, fault):
    ran = on_fake(agent, "T4", faults=[fault], seconds=60)
    assert ran.returncode == 5, ran.stderr
    result = json.loads(ran.stdout)
    assert "hardware_fault" in codes(result)
    assert result["verdicts"][0]["code"] == "hardware_fault" and "uncorrectable" in result["verdicts"][0]["message"]
    assert bool(by_status(result, "ok")) == (fault == "ecc")


def test_a_hanging_device_keeps_to_the_budget(agent):
    ran = on_fake(agent, "T4", faults=["hang"], seconds=20)
    assert ran.returncode == 4, ran.stderr
    result = json.loads(ran.stdout)
    assert result["duration_s"] < 20 and "worker_hung" in codes(result)


def test_a_hanging_library_costs_its_own_cases_alone(agent):
    ran = on_fake(agent, "T4", faults=["hang:0:gemm"], seconds=60)
    assert ran.returncode == 4, ran.stderr
    result = json.loads(ran.stdout)
    assert {m["workload"] for m in by_status(result, "failed")} == {"gemm"}
    assert len(by_status(result, "ok")) > 10


def test_without_graphs_short_operations_are_marked(agent):
    ran = on_fake(agent, "A100-SXM4-40GB", faults=["no_capture"])
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    marked = [m for m in by_status(result, "ok") if "queued singly" in (m["algorithm"] or "")]
    assert marked and all(m["median_ns"] < 200_000 for m in marked)
    assert [m["id"] for m in by_status(result, "skipped")] == ["latency/graph_launch"]


@pytest.mark.parametrize(
    "fault, reason", [("oom", "out_of_memory"), ("unsupported", "unsupported")]
)
def test_what_cannot_be_done_is_skipped_with_its_reason(agent, fault, reason):
    result = json.loads(on_fake(agent, "T4", faults=[fault], seconds=30).stdout)
    skipped = by_status(result, "skipped")
    rejected = [library["rejected_reason"] for library in result["libraries"] if library["rejected_reason"]]
    assert any(m["reason"].startswith(reason) for m in skipped) or rejected
    assert not by_status(result, "failed")


@pytest.mark.parametrize("fault", ["nvml_denied", "mig", "vgpu", "no_nccl", "slow:0:0.5", "throttle", "power_cap"])
def test_facts_and_weather_leave_a_verified_result(agent, fault):
    if SANITIZED:
        pytest.skip("the release programs show it")
    ran = on_fake(agent, "A100-SXM4-40GB" if fault == "mig" else "T4", faults=[fault])
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    device = result["devices"][0]
    unknown = {u["path"] for u in result["unknown"]}
    if fault == "nvml_denied":
        assert device["limits"] is None and "/devices/0/limits" in unknown
    if fault == "mig":
        assert device["mig"]
    if fault in ("throttle", "power_cap", "slow:0:0.5"):
        assert {"throttled", "power_capped", "below_peak"} & {v["code"] for v in result["verdicts"]}, result["verdicts"]
    if fault in ("throttle", "power_cap"):
        watched = [m["telemetry"]["gpu"] for m in result["measurements"] if m["telemetry"] and "gpu" in m["telemetry"]]
        assert any(gpu["throttled"] for gpu in watched)


def test_without_libraries_our_own_kernels_still_give_figures(agent):
    ran = on_fake(agent, "V100-SXM2-16GB", more=["--library", "cublas=none", "--library", "cudnn=none"])
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result["summary"]["instance"]["compute_tflop_per_s"]["fp32"]["burst"] > 10
    assert result["score"]["value"] is None
    assert "library_missing" in [v["code"] for v in result["verdicts"]]


def test_chosen_devices(agent):
    if SANITIZED:
        pytest.skip("the release programs show it")
    ran = on_fake(agent, "T4*2", "--device", "1")
    assert ran.returncode == 0, ran.stderr
    assert [d["index"] for d in json.loads(ran.stdout)["devices"]] == [1]
    ran = on_fake(agent, "T4", "--device", "1")
    assert ran.returncode == 3 and "asks for a GPU that is not there" in ran.stderr


def test_gpu_check_writes_what_it_saw(agent, tmp_path):
    if SANITIZED:
        pytest.skip("the release programs show it")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GPUASSAY_FAKE")}
    out = tmp_path / "check.json"
    command = [ROOT / "scripts/with_fake_gpu", "T4", "--", ROOT / "scripts/gpu_check", "--program", agent.program]
    command += ["--profile", "quick", "--runs", "2", "--no-full", "--no-torch", "--out", out]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL, env=environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    check = json.loads(out.read_text())
    assert [run["statuses"].get("failed", 0) for run in check["runs"]] == [0, 0]
    assert 0 <= check["repeatability"]["score"] < 0.03
    searched = check["search"]
    assert searched["version"] == 120405 and not searched["problems"] and searched["rows"]
    assert all(row["tried"] > 1 and 0.5 < row["ratio"] < 1.1 for row in searched["rows"]), searched["rows"]
    assert check["doctor"]["exit_code"] == 0 and check["probe"]["devices"][0]["name"] == "Tesla T4"


def test_gpu_check_says_when_there_is_no_gpu(agent, tmp_path):
    environment = dict(os.environ, GPUASSAY_SYSROOT=str(tmp_path))
    command = [ROOT / "scripts/gpu_check", "--program", agent.program, "--out", tmp_path / "check.json"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL, env=environment)
    assert ran.returncode == 3 and ran.stderr.strip()
