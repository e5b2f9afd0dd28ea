"""Whoever asks a run to stop has what was measured within 2 s, at any moment; and a wall-clock limit holds for the whole
program, whatever hangs."""

import json
import os
import random
import signal
import socket
import subprocess
import time

import pytest
from conftest import TIME_SCALE, alive, children
from fake_gpu import Started, on_gpus
from fake_metadata import IMDS
from platform_cases import NITRO
from platform_machine import machine

ROUNDS = int(os.environ.get("GPUASSAY_INTERRUPTION_ROUNDS", "2"))
PROMISE_S = 2 * TIME_SCALE

# GPUs, faults, and within how many seconds of the start the signal comes.
SCENES = {
    "measuring": ("T4", [], 3),
    "eight GPUs": ("T4*8", [], 8),
    "libraries load slowly": ("T4", ["slow_start::1"], 8),
    "the driver hangs while it is looked at": ("T4", ["slow_start::600"], 6),
    "NVML hangs": ("T4", ["slow_nvml::600"], 8),
    "operations hang": ("T4*2", ["hang"], 6),
    "a library hangs": ("T4", ["hang:0:gemm"], 6),
    "a library crashes": ("T4", ["crash:0:gemm"], 4),
}


def check_what_is_there(agent, code, err):
    """A partial result, or one line on why there is none."""
    results = agent.results()
    lines = [line for line in err.splitlines() if line]
    if not results:
        assert code == 128 + signal.SIGTERM, err
        assert lines[-1] == "gpuassay: asked to stop before anything was measured", err
        return
    [result] = results
    if code == 0:  # it was just ending
        assert result["status"] == "complete"
        return
    # A fault of the scene may be graver than having been stopped.
    assert code in (4, 5) and result["status"] in ("partial", "failed"), err
    assert result["measurements"] and all(m["status"] != "ok" or m["metric"] for m in result["measurements"])
    assert not list((agent.data_dir / "runs").glob("*.journal"))


def stop_at(agent, run, after_s):
    """Seconds from the signal to the end."""
    time.sleep(after_s)
    there = children(run.pid)
    asked = time.monotonic()
    try:
        os.kill(run.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    while alive(run.pid):
        time.sleep(0.005)
    took = time.monotonic() - asked
    code, _, err = run.end()
    assert not any(alive(child) for child in there), "a process was left behind"
    check_what_is_there(agent, code, err)
    return took


def check_promise(seconds):
    """One may be the machine's fault, which does other things as well."""
    assert len(seconds) > 1 and sorted(seconds)[-2] < PROMISE_S and max(seconds) < 5 * PROMISE_S, seconds


@pytest.mark.parametrize("scene", SCENES)
def test_asked_to_stop_at_any_moment(agent, tmp_path, scene):
    gpus, faults, span_s = SCENES[scene]
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    seconds = []
    for number in range(ROUNDS):
        agent.data_dir = tmp_path / f"data{number}"
        run = Started(gpus, agent.command("run", "--profile", "standard", "--max-seconds", "60"), faults=faults)
        # At least one while it starts, one late.
        seconds.append(stop_at(agent, run, {0: 0.05, 1: span_s}.get(number, rng.uniform(0, span_s))))
    check_promise(seconds)


def test_asked_to_stop_while_the_cloud_says_nothing(agent, tmp_path):
    root = machine(tmp_path / "root", NITRO, {})
    seconds = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        variables = {"GPUASSAY_SYSROOT": str(root), "GPUASSAY_METADATA_MAP": f"{IMDS}=127.0.0.1:{silent.getsockname()[1]}"}
        for number, (after_s, more) in enumerate([(0.3, []), (2, []), (1, ["--once", "instance"]), (3, ["--once", "instance"])]):
            agent.data_dir = tmp_path / f"data{number}"
            run = Started("T4", agent.command("run", "--profile", "quick", "--max-seconds", "60", *more), variables=variables)
            seconds.append(stop_at(agent, run, after_s))
    check_promise(seconds)


def test_asked_to_stop_while_the_result_is_sent(agent):
    """The report is there before the collector has answered, and what was not sent waits."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        run = Started("T4", agent.command("run", "--profile", "quick", "--max-seconds", "60", "--upload", url))
        silent.settimeout(60)
        sending, _ = silent.accept()
        asked = time.monotonic()
        os.kill(run.pid, signal.SIGTERM)
        code, _, err = run.end()
        assert time.monotonic() - asked < 5 * PROMISE_S
        sending.close()
    assert code == 128 + signal.SIGTERM and len(agent.results()) == 1
    assert err.splitlines()[-1] == "gpuassay: asked to stop while it was sent; the result is saved: gpuassay upload sends it"


def test_who_stops_a_run_has_its_report_before_it_is_sent(agent):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        run = Started("T4*8", agent.command("--verbose", "run", "--profile", "standard", "--upload", url))
        while " TFLOP/s" not in run.process.stderr.readline():
            assert alive(run.pid)
        os.kill(run.pid, signal.SIGTERM)
        silent.settimeout(60)
        sending, _ = silent.accept()
        report = ""
        while "saved" not in report:
            line = run.process.stdout.readline()
            assert line, report
            report += line
        assert " partial " in report and len(agent.results()) == 1
        sending.close()
        run.process.kill()
        os.kill(run.pid, signal.SIGKILL)
        run.end()


def test_a_hangup_that_is_ignored_stays_so(agent):
    """As nohup has it, for a run that goes on after its terminal is closed."""
    command = ["nohup", *agent.command("--verbose", "run", "--profile", "quick", "--max-seconds", "60")]
    run = Started("T4*8", command)
    while " TFLOP/s" not in run.process.stderr.readline():
        assert alive(run.pid)
    os.kill(run.pid, signal.SIGHUP)
    code, _, err = run.end()
    assert code == 0, err
    assert agent.results()[0]["status"] == "complete"


@pytest.mark.parametrize("fault", ["slow_start::600", "slow_start::2", "slow_nvml::600", "hang", "hang:0:copy", "hang:0:stream", "hang:0:compute"])
@pytest.mark.parametrize("gpu", ["T4", "T4*8"])
def test_a_wall_clock_limit_holds_for_the_whole_program(agent, gpu, fault):
    limit_s = 8
    line, environment = on_gpus(gpu, *agent.command("run", "--profile", "quick", "--json", "--max-seconds", str(limit_s)), faults=[fault])
    begun = time.monotonic()
    ran = subprocess.run(line, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, env=environment)
    took = time.monotonic() - begun
    # The script around it takes a while as well.
    assert took < limit_s * TIME_SCALE + 2 * TIME_SCALE, ran.stderr
    if ran.returncode == 3:
        assert len(ran.stderr.splitlines()) == 1 and "did not end within" in ran.stderr
    else:
        assert ran.returncode in (0, 4), ran.stderr
        assert json.loads(ran.stdout) == agent.results()[0]
        assert json.loads(ran.stdout)["duration_s"] <= limit_s * TIME_SCALE
