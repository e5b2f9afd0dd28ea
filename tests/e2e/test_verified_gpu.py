"""Verified runs of fake GPUs with a real collector: the whole protocol, and what a device that fails costs."""

import json
import subprocess
import urllib.request

import pytest
from fake_gpu import on_gpus


@pytest.fixture
def collector(make_collector):
    return make_collector("--accept-simulated")


def verified_run(agent, collector, gpu, faults=()):
    """The run's result and all that was said on stdout, on one line."""
    command = [agent.program, "--data-dir", agent.data_dir, "run", "--profile", "quick", "--max-seconds", "100",
               "--upload", collector.url, "--verified"]
    line, environment = on_gpus(gpu, *command, faults=faults)
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return agent.results()[0], " ".join(done.stdout.split())


def answer(collector, result, of=""):
    with urllib.request.urlopen(f"{collector.url}/v1/results/{result['run_id']}{of}") as response:
        return json.loads(response.read())


@pytest.mark.parametrize("gpu, devices", [("T4", 1), ("V100-SXM2-16GB*2", 2)])
def test_the_work_of_every_gpu_is_recomputed(agent, collector, gpu, devices):
    result, said = verified_run(agent, collector, gpu)
    assert len(result["devices"]) == devices
    for device in range(devices):
        assert f"device {device} in fp16: the collector saw at least" in said, said
    # That a figure's floor is near the figure has been seen on no GPU: none has the better label.
    assert "trust: recomputed" in said
    shown = answer(collector, result, "/trust")
    assert shown["trust"] == "recomputed"
    for device in range(devices):
        fp16 = [figure for figure in shown["figures"]
                if figure["device"] == device and figure["figure"] == "gemm_tflop_per_s.fp16.burst"]
        assert len(fp16) == 1
        assert fp16[0]["label"] == "recomputed"
        # The fake's clock is modelled, and the collector's is not: the floor is a small part of the figure.
        assert 0 < fp16[0]["ratio"] < 0.1
        assert fp16[0]["ratio"] == pytest.approx(fp16[0]["floor_tflop_per_s"] / fp16[0]["value"])
    assert {figure["label"] for figure in shown["figures"]
            if not figure["figure"].startswith("gemm_tflop_per_s.fp16")} == {"self_reported"}


@pytest.mark.parametrize("fault, says", [
    ("wrong:1:floor", "NOT VERIFIED: device 1: its own check of the work failed, so it is not shown to anybody"),
    ("crash:1:floor", "NOT VERIFIED: device 1: its process was"),
    ("hang:1:floor", "NOT VERIFIED: device 1: no answer within 60 s"),
])
def test_a_device_that_fails_costs_the_verification_alone(agent, collector, fault, says):
    result, said = verified_run(agent, collector, "V100-SXM2-16GB*2", faults=[fault])
    assert says in said, said
    assert result["status"] == "complete" and result["score"]["value"] > 0
    assert answer(collector, result)["run_id"] == result["run_id"]
    assert answer(collector, result, "/trust")["trust"] == "self_reported"
