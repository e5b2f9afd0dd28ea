"""Verified runs of fake GPUs with a real collector: the whole protocol, and what a device that fails costs."""

import json
import subprocess
import urllib.request

import pytest
from conftest import ROOT
from fake_gpu import on_gpus

ROOT_PEM = ROOT / "tests/fixtures/attestation/TEST_ONLY_root.pem"
ATTESTATIONS = "/v1/challenges/{id}/attestations"


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


def metrics(collector):
    with urllib.request.urlopen(collector.url + "/metrics") as response:
        return response.read().decode()


def attestations(collector):
    """How many reports were verified and refused, and whether any was sent at all."""
    text = metrics(collector)
    counts = [int(text.split(f'gpuassay_attestations_total{{outcome="{outcome}"}} ')[1].split()[0])
              for outcome in ("verified", "refused")]
    return *counts, ATTESTATIONS in text


def other_root(folder):
    path = folder / "other_root.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-nodes", "-sha384",
                    "-subj", "/CN=TEST ONLY Device Identity CA", "-days", "2", "-keyout", folder / "other_key.pem", "-out", path],
                   check=True, capture_output=True)
    return path


def test_gpus_that_their_maker_certifies_are_attested(agent, make_collector):
    collector = make_collector("--accept-simulated", "--attestation-root", str(ROOT_PEM))
    result, said = verified_run(agent, collector, "H100-SXM5-80GB*2", faults=["cc"])
    for device in (0, 1):
        assert f"device {device}: its maker confirms the chip GH100" in said, said
    assert "trust: attested" in said
    assert attestations(collector) == (2, 0, True)
    shown = answer(collector, result, "/trust")
    assert shown["trust"] == "attested"
    for proof in shown["proofs"]:
        assert proof["attestation"]["state"] == "verified" and proof["attestation"]["chip"] == "GH100"
        assert len(proof["attestation"]["evidence_sha256"]) == 64
        assert proof["speed_confirmed"] is False, "what a GPU must show is not known"
        labels = {figure["label"] for figure in shown["figures"] if figure["device"] == proof["device"]
                  and figure["figure"].startswith(f"gemm_tflop_per_s.{proof['dtype']}.")}
        assert labels == {"attested"}
    with urllib.request.urlopen(collector.url + "/v1/results?trust=attested&simulated=true") as response:
        assert [run["run_id"] for run in json.loads(response.read())["results"]] == [result["run_id"]]


def test_another_makers_word_is_refused_and_costs_nothing(agent, make_collector, tmp_path):
    collector = make_collector("--accept-simulated", "--attestation-root", str(other_root(tmp_path)))
    result, said = verified_run(agent, collector, "H100-SXM5-80GB", faults=["cc"])
    assert "device 0: its attestation was not confirmed: certificate" in said, said
    assert "trust: recomputed" in said
    assert attestations(collector) == (0, 1, True)
    (proof,) = answer(collector, result, "/trust")["proofs"]
    assert proof["state"] == "right" and proof["attestation"]["state"] == "refused" and proof["attestation"]["reason"]


def test_a_chip_that_is_not_the_gpus_is_refused(agent, make_collector):
    collector = make_collector("--accept-simulated", "--attestation-root", str(ROOT_PEM))
    _, said = verified_run(agent, collector, "H100-SXM5-80GB", faults=["cc:0:GB100"])
    assert "its attestation was not confirmed: the certificates are of a chip GB100" in said, said
    assert "trust: recomputed" in said


@pytest.mark.parametrize("flags, faults", [
    (("--attestation-root", str(ROOT_PEM)), []),  # no such mode: the agent has nothing to say
    ((), ["cc"]),  # a collector that does not ask, as one of before: nothing that names a GPU is sent to it
])
def test_who_says_nothing_or_is_not_asked(agent, make_collector, flags, faults):
    collector = make_collector("--accept-simulated", *flags)
    result, said = verified_run(agent, collector, "H100-SXM5-80GB", faults=faults)
    assert "trust: recomputed" in said and "attestation" not in said and "maker" not in said, said
    assert attestations(collector) == (0, 0, False)
    (proof,) = answer(collector, result, "/trust")["proofs"]
    assert proof["attestation"] is None


def test_a_root_that_is_none_ends_the_start(tmp_path):
    from conftest import BIN

    for content, why in (("", "holds no"), (None, "cannot read")):
        path = tmp_path / "root.pem"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(content)
        done = subprocess.run([BIN / "gpuassay-collector", "serve", "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data",
                               "--attestation-root", path], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
        assert f"--attestation-root {path}" in done.stderr and why in done.stderr
