"""Whatever the OpenAPI document allows, and what it does not: schemathesis asks for every operation and checks every answer.

GPUASSAY_OPENAPI_SECONDS says for how long."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT, wait_until

sys.path.insert(0, str(ROOT / "tests/support/python"))
from signed_runs import Client, bodies  # noqa: E402
from test_collector import get  # noqa: E402

SECONDS = os.environ.get("GPUASSAY_OPENAPI_SECONDS", "60")


def test_schemathesis_finds_nothing(make_collector, tmp_path):
    pytest.importorskip("schemathesis", reason="schemathesis is not installed (./scripts/setup test)")
    collector = make_collector("--accept-simulated", "--uploads-per-hour-of-key", "0", "--uploads-per-hour-of-network", "0")
    client = Client(collector.url)
    for (_, body), _ in zip(bodies(), range(5)):
        assert client.post(body) == 201
    assert wait_until(lambda: get(collector, "/v1/gpus")[0] == 200)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(ROOT / "tests/e2e/schemathesis.toml"), "run",
               collector.url + "/openapi.json", "--checks", "all", "--phases", "coverage,fuzzing,stateful", "--max-time", SECONDS,
               "--continue-on-failure", "--suppress-health-check", "all", "--no-color"]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "openapi_hooks", "PYTHONPATH": str(ROOT / "tests/e2e")}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    metrics = get(collector, "/metrics")[2].decode()
    for reached in ('outcome="created"', 'route="/v1/results/{id}",status="200"', 'outcome="invalid"'):
        assert reached in metrics, f"nothing was {reached}"
