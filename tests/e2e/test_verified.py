"""Verified runs: a real agent on this CPU, a real collector over TLS, and what happens when either is not what it should be."""

import glob
import json
import os
import signal
import socket
import threading
import time
import urllib.request

import pytest
from conftest import TIME_SCALE, Collector, alive, children
from test_collector_tls import make_files

FAKETIME = (glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") or [None])[0]
TRIES = 3  # a neighbour may take half of the machine away from any eight seconds


@pytest.fixture
def collector(tmp_path):
    certificate, key = make_files(tmp_path, "collector")
    running = Collector(tmp_path / "collector", "--tls-cert", str(certificate), "--tls-key", str(key))
    running.certificate = certificate
    yield running
    if running.process.poll() is None:
        running.stop()


def verified_run(agent, collector, **kwargs):
    return agent("run", "--device", "cpu", "--profile", "quick", "--max-seconds", "15", "--upload", collector.url, "--ca",
                 str(collector.certificate), "--verified", **kwargs)


def trust_of(collector, run_id):
    import ssl

    context = ssl.create_default_context(cafile=collector.certificate)
    with urllib.request.urlopen(f"{collector.url}/v1/results/{run_id}/trust", timeout=30, context=context) as answer:
        return json.loads(answer.read())


def newest(agent):
    return max(agent.results(), key=lambda result: result["started_at"])["run_id"]


def test_a_cpu_is_floor_verified_over_tls(agent, collector):
    """A real run on this machine; what it did is checked tile by tile, whatever its label."""
    labels = []
    for _ in range(TRIES):
        done = verified_run(agent, collector)
        assert done.returncode in (0, 4), done.stdout + done.stderr
        trust = trust_of(collector, newest(agent))
        (proof,) = trust["proofs"]
        assert proof["state"] == "right", proof
        assert proof["draws"] == 64 and proof["steps"] >= 1 and 7.9 < proof["interval_s"] < 40
        assert f"trust: {trust['trust']}" in done.stdout
        claimed = [figure for figure in trust["figures"] if figure["ratio"]]
        assert claimed and all(figure["figure"].startswith(f"gemm_tflop_per_s.{proof['dtype']}.") for figure in claimed)
        others = [figure["label"] for figure in trust["figures"] if not figure["ratio"]]
        assert others and set(others) == {"self_reported"}
        labels.append(trust["trust"])
        if labels[-1] == "floor_verified":
            return
        assert labels[-1] == "recomputed" and TIME_SCALE >= 1
    # Programs that count their steps make operands and hash far slower than they multiply.
    assert TIME_SCALE > 1, labels


@pytest.mark.skipif(TIME_SCALE > 1, reason="libfaketime must be loaded first, and so must AddressSanitizer")
@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed (apt-get install faketime)")
def test_a_clock_at_half_speed_contradicts_its_claim(agent, collector):
    """Every duration that the machine sees is half of the truth, and every figure twice: the collector has a clock of its own."""
    done = verified_run(agent, collector, env=os.environ | {"LD_PRELOAD": FAKETIME, "FAKETIME": "+0 x0.5"})
    assert done.returncode in (0, 4), done.stdout + done.stderr
    trust = trust_of(collector, newest(agent))
    (proof,) = trust["proofs"]
    assert proof["state"] == "right" and proof["interval_s"] > 15
    assert trust["trust"] == "recomputed"
    assert all(figure["suspect"] for figure in trust["figures"] if figure["ratio"]), trust


def test_asked_to_stop_meanwhile(agent, collector):
    run = agent.start("run", "--device", "cpu", "--profile", "quick", "--max-seconds", "6", "--upload", collector.url, "--ca",
                      str(collector.certificate), "--verified")
    for line in run.stderr:
        if "working for the collector" in line:
            break
    time.sleep(2)
    workers = children(run.pid)
    run.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    rest = run.communicate(timeout=60)[1]
    assert time.monotonic() - asked < 10
    assert rest.splitlines()[-1] == "gpuassay: asked to stop while the collector checked this machine; the result was sent"
    assert run.returncode == -signal.SIGTERM
    assert workers and not any(alive(worker) for worker in workers)
    assert agent.files(".receipt.json"), "what was sent stays sent"


class CutOff:
    """Passes connections on to a collector, until it is told to pass on none any more."""

    def __init__(self, url):
        self.to = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        self.open = True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{url.rsplit(':', 1)[0]}:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            if not self.open:
                client.close()
                continue
            server = socket.create_connection(self.to)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(source, target), daemon=True).start()

    @staticmethod
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_a_network_that_goes_away_costs_the_verification_alone(agent, collector):
    relay = CutOff(collector.url)
    run = agent.start("run", "--device", "cpu", "--profile", "quick", "--max-seconds", "6", "--upload", relay.url, "--ca",
                      str(collector.certificate), "--verified")
    for line in run.stderr:
        if "working for the collector" in line:
            break
    time.sleep(4 * TIME_SCALE)
    relay.open = False
    run.communicate(timeout=180)
    assert run.returncode in (0, 4)
    assert agent.files(".receipt.json")
    assert trust_of(collector, newest(agent))["trust"] == "self_reported"


def test_a_collector_without_verified_runs_is_told_apart(agent, make_collector, tmp_path):
    """One that knows nothing of challenges answers 404 as it does for any address."""
    class Older(CutOff):
        pass

    collector = make_collector()
    blocked = Older(collector.url)
    original = Older.copy

    def without_challenges(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data.replace(b"/v1/challenges", b"/v1/challenge_"))
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    Older.copy = staticmethod(without_challenges)
    try:
        done = agent("run", "--device", "cpu", "--profile", "quick", "--max-seconds", "6", "--upload", blocked.url, "--verified")
    finally:
        Older.copy = original
    assert done.returncode in (0, 4), done.stderr
    assert "NOT VERIFIED: the collector has no verified runs" in " ".join(done.stdout.split())
    assert agent.files(".receipt.json")


def test_it_needs_an_upload(agent):
    done = agent("run", "--verified")
    assert done.returncode == 2 and "--upload" in done.stderr
