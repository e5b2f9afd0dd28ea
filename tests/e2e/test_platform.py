"""Where a machine is: firmware, environment and files, metadata services that are fakes, and what the user says."""

import contextlib
import json
import os
import threading
import time

import fake_metadata as fake
import pytest
from conftest import TIME_SCALE
from fake_metadata import IMDS, SECRET, MetadataService
from platform_cases import CASES, EC2, NITRO, QEMU
from platform_machine import assert_harmless, check_nulls, detect, environment, machine, reasons  # detect: a fixture


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_platform_and_its_look_alikes(detect, case):
    with contextlib.ExitStack() as stack:
        services = {host: stack.enter_context(MetadataService(dict(replies))) for host, replies in case.services.items()}
        document = detect(case.firmware, services, case.variables, case.files)
        requests = [request for service in services.values() for request in service.requests]
    platform = dict(document["platform"])
    hashed, source = platform.pop("instance_id_hash"), platform.pop("source")
    assert platform == case.says
    assert (hashed is not None) == case.hashed
    assert {name: source.get(name) for name in case.sources} == case.sources
    check_nulls(document)
    if case.asked_nothing:
        assert requests == []
    if "/dev/disk" not in str(case.files):
        assert_harmless(requests)


def test_every_provider_of_the_contract_has_a_case():
    listed = """aws gcp azure oracle ibm tencent alibaba baidu huawei lambda vastai paperspace gradient colab kaggle genesis
    runpod coreweave digitalocean hetzner ovh scaleway nebius crusoe fluidstack tensordock jarvislabs sagemaker vertex
    azureml""".split()
    assert set(listed) <= {case.says["provider"] for case in CASES}
    assert {"kubernetes", "slurm", "docker"} <= {layer for case in CASES for layer in case.says["host_layer"]}


# ---- what the user says ----------------------------------------------------------------------------------


def test_what_the_user_says_wins(detect):
    variables = {"GPUASSAY_REGION": "eu-central-1", "GPUASSAY_PRICING_MODEL": "reserved"}
    files = {"etc/gpuassay/platform": "# by user data\nprovider = aws\ninstance_type=p5e.48xlarge\nregion=us-west-2\n"}
    with MetadataService(fake.aws()) as service:
        document = detect(NITRO, {IMDS: service}, variables, files)
    platform = document["platform"]
    assert platform["provider"] == "aws" and platform["instance_type"] == "p5e.48xlarge"
    assert platform["region"] == "eu-central-1" and platform["pricing_model"] == "reserved"
    assert platform["zone"] == "us-east-1b"
    assert platform["source"] | {"zone": "metadata"} == platform["source"]
    wanted = {"provider": "override_file", "instance_type": "override_file", "region": "override_env",
              "pricing_model": "override_env"}
    assert wanted.items() <= platform["source"].items()
    check_nulls(document)


def test_another_provider_than_the_one_found_stands_above_it(detect):
    with MetadataService(fake.aws()) as service:
        document = detect(NITRO, {IMDS: service}, {"GPUASSAY_PROVIDER": "Lambda Labs"})
    assert document["platform"]["provider"] == "lambda" and document["platform"]["underlying"] == "aws"
    assert document["platform"]["instance_type"] is document["platform"]["pricing_model"] is None
    check_nulls(document)


def test_the_user_names_a_provider_whose_service_can_tell_the_rest(detect):
    with MetadataService(fake.ibm()) as service:
        document = detect(QEMU, {IMDS: service}, {"GPUASSAY_PROVIDER": "ibm"})
        assert len(service.requests) == 2  # and nobody else's
    assert document["platform"]["instance_type"] == "gx3-16x80x1l4"
    assert document["platform"]["source"]["provider"] == "override_env"


@pytest.mark.parametrize("provider,why", [("crusoe", "tells nothing about the machine inside it"), ("ibm", "the metadata service")])
def test_what_the_named_provider_does_not_tell_is_explained_by_that(detect, provider, why):
    with MetadataService({}) as service:
        document = detect(QEMU, {IMDS: service}, {"GPUASSAY_PROVIDER": provider})
    assert document["platform"]["provider"] == provider
    assert all("provider is unknown" not in reason for reason in reasons(document).values()), reasons(document)
    assert why in reasons(document)["region"]


def test_what_the_user_says_wrongly_is_told_and_not_used(detect):
    variables = {"GPUASSAY_PRICING_MODEL": "cheap", "GPUASSAY_PROVIDER": "no such <name>"}
    files = {"etc/gpuassay/platform": "price 3\npricing_model=spot\n"}
    document = detect(QEMU, {}, variables, files)
    assert document["platform"]["provider"] == "unknown" and document["platform"]["pricing_model"] == "spot"
    assert "GPUASSAY_PRICING_MODEL" in detect.stderr and "GPUASSAY_PROVIDER" in detect.stderr
    assert "/etc/gpuassay/platform" in detect.stderr


BAD_MAPS = [
    "x",
    "169.254.169.254",
    "169.254.169.254=",
    "169.254.169.254=127.0.0.1",
    "example.org=127.0.0.1:80",
    "169.254.169.254=127.0.0.1:0",
    "169.254.169.254=127.0.0.1:99999",
    "169.254.169.254=127.0.0.1:80,",
]


@pytest.mark.parametrize("value", BAD_MAPS)
def test_a_map_that_cannot_be_understood(agent, value):
    ran = agent("probe", env={**os.environ, "GPUASSAY_METADATA_MAP": value})
    assert ran.returncode == 2 and "GPUASSAY_METADATA_MAP" in ran.stderr and ran.stdout == ""


# ---- runs ------------------------------------------------------------------------------------------------


def run_on(agent, root, ports, *arguments, variables=None):
    ran = agent("run", "--profile", "quick", "--device", "cpu", "--max-seconds", "4", "--json", *arguments,
                env=environment(root, ports, variables or {}))
    assert ran.returncode in (0, 4), ran.stderr
    return json.loads(ran.stdout)


def test_a_run_contains_what_probe_shows(agent, tmp_path):
    root = machine(tmp_path / "root", NITRO, {})
    with MetadataService(fake.aws()) as service:
        result = run_on(agent, root, {IMDS: service.port})
        probed = json.loads(agent("probe", "--json", env=environment(root, {IMDS: service.port}, {})).stdout)
    assert result["simulated"]
    assert result["platform"] == probed["platform"]
    assert reasons(result) == reasons(probed)
    check_nulls(result)
    assert SECRET not in json.dumps(result)
    files = b"".join(path.read_bytes() for path in agent.data_dir.rglob("*") if path.is_file() and path.name != "key")
    assert SECRET.encode() not in files and b"i-0123456789abcdef0" not in files


def test_an_offline_run_asks_nobody(agent, tmp_path):
    root = machine(tmp_path / "root", NITRO, {})
    with MetadataService(fake.aws()) as service:
        result = run_on(agent, root, {IMDS: service.port}, "--offline", "--region", "us-east-2")
        assert service.requests == []
    assert result["platform"]["instance_type"] == "p5.48xlarge"
    assert result["platform"]["region"] == "us-east-2" and result["platform"]["source"]["region"] == "flag"
    assert "offline" in reasons(result)["zone"]
    check_nulls(result)


def test_a_slow_service_costs_a_run_nothing_and_is_still_heard(agent, tmp_path):
    root = machine(tmp_path / "root", EC2, {})
    measuring = threading.Event()

    def when_measuring(handler):
        # The run has begun and said so before the token comes: it did not wait for it.
        assert measuring.wait(60)
        token = f"{SECRET}-token==".encode()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(token) + token)

    with MetadataService({**fake.aws(), "PUT /latest/api/token": when_measuring}) as service:
        process = agent.start("--verbose", "run", "--profile", "quick", "--device", "cpu", "--max-seconds", "8", "--out",
                              str(tmp_path / "out.json"), env=environment(root, {IMDS: service.port}, {}))
        for line in process.stderr:
            if "measuring" in line:
                measuring.set()
                break
        process.stderr.read()
        assert process.wait(timeout=150) in (0, 4)
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["platform"]["region"] == "us-east-1" and result["platform"]["pricing_model"] == "spot"
    check_nulls(result)


def test_a_service_that_hangs_adds_nothing_to_a_short_run(agent, tmp_path):
    root = machine(tmp_path / "root", EC2, {})
    with MetadataService({"PUT /latest/api/token": lambda _: time.sleep(20)}) as service:
        start = time.monotonic()
        result = run_on(agent, root, {IMDS: service.port})
        assert time.monotonic() - start < 20 * TIME_SCALE
    assert result["duration_s"] < 5 * TIME_SCALE and result["platform"]["provider"] == "aws"
    assert "in time" in reasons(result)["region"]
    check_nulls(result)


def test_a_collector_takes_what_was_found(agent, make_collector, tmp_path):
    collector = make_collector("--accept-simulated")
    root = machine(tmp_path / "root", NITRO, {})
    with MetadataService(fake.aws()) as service:
        run_on(agent, root, {IMDS: service.port}, "--upload", collector.url)  # 6 if it did not
    assert len(agent.files(".receipt.json")) == 1
