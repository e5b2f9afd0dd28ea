"""`run --once`: measured once on a boot or an instance, whatever happens to the machine in between."""

import datetime
import json
import os
import signal
import socket
import subprocess
import time

import pytest
from conftest import BIN, ROOT, TIME_SCALE, children, wait_until
from fake_metadata import IMDS
from platform_cases import NITRO
from platform_machine import environment, machine
from servers import ScriptedCollector, receipt_for

ACCEPTED = {"Content-Type": "application/json"}
QUICK = ("--profile", "quick", "--max-seconds", "2")
BOOTS = ["0b5a3c1e-0000-4000-8000-000000000001", "0b5a3c1e-0000-4000-8000-000000000002",
         "0b5a3c1e-0000-4000-8000-000000000003", "0b5a3c1e-0000-4000-8000-000000000004"]


class Machine:
    """A machine that boots when told to: run(scope) starts the agent as its boot would."""

    def __init__(self, agent, folder):
        self.agent, self.folder, self.services = agent, folder, {}
        self.boots, self.firmware, self.machine_id = 0, {"product_uuid": "4c4c4544-0042-3510-8054-b7c04f4c4e31"}, "f" * 32

    def boot(self):
        files = {"proc/sys/kernel/random/boot_id": BOOTS[self.boots] + "\n", "etc/machine-id": self.machine_id + "\n"}
        self.boots += 1
        self.root = machine(self.folder, self.firmware, files)
        return self

    def environment(self, **variables):
        return environment(self.root, self.services, variables)

    def run(self, scope, *arguments, **variables):
        """What happened, with `measured`: whether a result with something in it was added."""
        before = len(self.agent.files())
        ran = self.agent("run", "--once", scope, *QUICK, *arguments, env=self.environment(**variables))
        ran.measured = len(self.agent.files()) > before and any(m["status"] == "ok" for m in self.newest()["measurements"])
        return ran

    def newest(self):
        return self.agent.results()[-1]

    def kill_a_run(self, scope):
        run = self.agent.start("--verbose", "run", "--once", scope, "--profile", "quick", env=self.environment())
        assert any(" TFLOP/s" in line for line in run.stderr), "it ended without a case"
        workers = children(run.pid)
        for pid in (run.pid, *workers):
            os.kill(pid, signal.SIGKILL)
        run.communicate(timeout=60)

    def marker(self):
        return self.agent.data_dir / "once.json"


def check_time(result):
    """The clocks of a run agree, although it waited before."""
    began, ended = (datetime.datetime.fromisoformat(result[name].replace("Z", "+00:00")) for name in ("started_at", "finished_at"))
    assert abs((ended - began).total_seconds() - result["duration_s"]) < 1
    assert "clock_jumped" not in [verdict["code"] for verdict in result["verdicts"]]


@pytest.fixture
def booted(agent, tmp_path):
    return Machine(agent, tmp_path / "root").boot()


def test_once_a_boot(booted, agent):
    assert booted.run("boot").measured
    [first] = agent.results()
    assert first["trigger"] == "boot"
    again = booted.run("boot")
    assert again.returncode == 0 and again.stdout == "" and not again.measured
    assert first["run_id"] in again.stderr and "already" in again.stderr
    assert booted.boot().run("boot").measured


def test_once_an_instance_over_boots(booted, agent):
    assert booted.run("instance").measured
    again = booted.boot().run("instance")
    assert again.returncode == 0 and not again.measured
    text = booted.marker().read_text()
    for raw in (*BOOTS, booted.firmware["product_uuid"], booted.machine_id):
        assert raw not in text


def test_a_clone_of_the_disk_is_another_instance(booted, agent):
    booted.firmware = dict(NITRO)
    assert booted.boot().run("instance").measured
    assert not booted.boot().run("instance").measured
    booted.firmware["board_asset_tag"] = "i-0fedcba9876543210"
    assert booted.boot().run("instance").measured
    assert len({run["platform"]["instance_id_hash"] for run in agent.results()}) == 2


@pytest.mark.parametrize("scope", ["boot", "instance"])
def test_a_machine_that_dies_of_it_is_measured_no_third_time(booted, agent, scope):
    booted.kill_a_run(scope)
    booted.boot().kill_a_run(scope)
    ran = booted.boot().run(scope)
    assert ran.returncode == 4
    assert "went down" in ran.stderr and str(booted.marker()) in ran.stderr
    results = agent.results()
    assert [reason["code"] for run in results for reason in run["reasons"]] == ["killed", "killed"]
    assert all(run["measurements"] for run in results)
    still = booted.boot().run(scope)
    assert still.returncode == 4 and not still.measured
    booted.marker().unlink()
    assert booted.run(scope).measured


def test_the_second_attempt_may_succeed(booted, agent):
    booted.kill_a_run("instance")
    booted.boot().run("instance")
    assert [[reason["code"] == "killed" for reason in run["reasons"]] for run in agent.results()] == [[True], [False]]
    assert "already" in booted.boot().run("instance").stderr


def test_killed_alone_it_is_simply_measured_again(booted, agent):
    for _ in range(3):
        booted.kill_a_run("instance")
    assert booted.run("instance").measured


def test_a_run_in_vain_is_none(booted, agent):
    run = agent.start("run", "--once", "instance", "--profile", "quick", stderr=subprocess.DEVNULL, env=booted.environment())
    assert wait_until(lambda: booted.marker().exists())  # it is about to measure
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=60) in (3, 4)
    if any(m["status"] == "ok" for m in booted.newest()["measurements"]):
        pytest.skip("it had measured something by then")
    assert booted.run("instance").measured


def test_waiting_for_the_cloud_is_not_measuring(booted):
    """A service that accepts and says nothing is waited for, as which instance it is decides; then there is all the time."""
    booted.firmware = dict(NITRO)
    booted.boot()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        booted.services = {IMDS: silent.getsockname()[1]}
        start = time.monotonic()
        assert booted.run("instance").measured
        assert time.monotonic() - start > 6
    result = booted.newest()
    assert result["duration_s"] <= 2 * TIME_SCALE + 1
    check_time(result)


def test_as_the_first_process_of_a_container_it_ends_when_told_to(booted, agent):
    """The system spares such a process what it has no handler for: here while it waits for the cloud."""
    namespace = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*namespace, "true"], capture_output=True).returncode != 0:
        pytest.skip("this system makes no process namespaces")
    booted.firmware = dict(NITRO)
    booted.boot()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        booted.services = {IMDS: silent.getsockname()[1]}
        container = subprocess.Popen([*namespace, *agent.command("run", "--once", "instance", *QUICK)],
                                     env=booted.environment(), stderr=subprocess.DEVNULL)
        silent.settimeout(60)
        asked, _ = silent.accept()
        [first] = children(container.pid)
        os.kill(first, signal.SIGTERM)
        assert container.wait(timeout=60) == 128 + signal.SIGTERM
        asked.close()
    assert not booted.marker().exists()


def test_killed_between_the_result_and_the_marker(booted, agent):
    assert booted.run("instance").measured
    marker = json.loads(booted.marker().read_text())
    assert marker["state"] == "ended"
    booted.marker().write_text(json.dumps(marker | {"state": "measuring"}))
    again = booted.boot().run("instance")
    assert "already" in again.stderr and not again.measured


@pytest.mark.parametrize("damage", ["", "{", '{"state":"ended"}', "\0" * 100, "[" * 100_000])
def test_a_damaged_marker_is_none(booted, agent, damage):
    assert booted.run("boot").measured
    booted.marker().write_text(damage)
    assert booted.run("boot").measured


def test_a_marker_that_cannot_be_kept_is_told(booted, agent):
    agent.data_dir.mkdir(mode=0o700)
    booted.marker().mkdir()
    ran = booted.run("boot")
    assert ran.measured and "cannot be remembered" in ran.stderr


def test_what_was_asked_for_is_done_with_the_earlier_result(booted, agent, tmp_path):
    taking = False

    def answer(request):
        if request.command == "POST":
            return (201, ACCEPTED, receipt_for(request.body)) if taking else (503, {}, b"")
        return 404, {}, b""

    collector = ScriptedCollector(answer)
    assert booted.run("boot", "--upload", collector.url).returncode == 6
    [saved] = agent.files()
    out = tmp_path / "out.json"
    taking = True
    ran = booted.run("boot", "--upload", collector.url, "--json", "--out", str(out))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == out.read_text() == saved.read_text().rstrip("\n") + "\n"
    assert len(agent.files(".receipt.json")) == 1
    sent = len(collector.requests)
    assert booted.run("boot", "--upload", collector.url).returncode == 0  # taken already: nothing is sent
    assert len(collector.requests) == sent
    gate = booted.run("boot", "--require", "score.value>=1e9")
    assert gate.returncode == 7 and "required score.value>=1e9: not met" in gate.stderr
    saved.unlink()
    for asked in (["--json"], ["--require", "score.value>=1e9"]):
        gone = booted.run("boot", *asked)
        assert gone.returncode == 6 and gone.stdout == "" and "not there any more" in gone.stderr


def test_why_it_ran(booted, agent):
    booted.run("boot", GPUASSAY_TRIGGER="health")
    agent("run", *QUICK, env=booted.environment(GPUASSAY_TRIGGER="scheduled"))
    agent("run", *QUICK, env=booted.environment())
    assert [run["trigger"] for run in agent.results()] == ["health", "scheduled", "user"]
    wrong = agent("run", *QUICK, env=booted.environment(GPUASSAY_TRIGGER="cron"))
    assert wrong.returncode == 2 and "GPUASSAY_TRIGGER" in wrong.stderr
    assert agent("run", "--once", "week").returncode == 2
    assert agent("run", "--once").returncode == 2


def test_a_driver_that_is_late_is_waited_for(agent):
    late = ('set -e; libraries=${GPUASSAY_LIBRARY_PATH%%:*}; mv "$libraries" "$libraries.late"\n'
            '(sleep 5; mv "$libraries.late" "$libraries") & exec "$@"')
    variables = {**os.environ, "GPUASSAY_FAKE_GPU_DIR": str(BIN / "fake_gpu")} if (BIN / "fake_gpu").is_dir() else os.environ
    ran = subprocess.run([ROOT / "scripts/with_fake_gpu", "T4", "--", "bash", "-c", late, "-",
                          *agent.command("run", "--once", "boot", "--profile", "quick", "--max-seconds", "20")],
                         capture_output=True, text=True, timeout=300, env=variables)
    assert "waiting for the NVIDIA driver" in ran.stderr
    [result] = agent.results()
    assert result["devices"][0]["kind"] == "cuda" and ran.returncode in (0, 4), ran.stderr
    check_time(result)


def test_at_boot_a_machine_without_a_gpu_waits_for_nothing(booted):
    assert "waiting" not in booted.run("boot").stderr
