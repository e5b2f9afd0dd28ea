"""Where a machine is: firmware, environment and files below GPUASSAY_SYSROOT, metadata services that are fakes, and what
`gpuassay probe --json` makes of both."""

import contextlib
import json
import os
import shutil
import socket
import threading
import time

import fake_metadata as fake
import pytest
from conftest import TIME_SCALE
from fake_metadata import IMDS, SECRET, MetadataService, Reply
from platform_cases import AZURE, CASES, EC2, NITRO, QEMU, UNKNOWN, says

FIELDS = ("instance_type", "region", "zone", "pricing_model", "underlying", "instance_id_hash")
KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "GPUASSAY_LIBRARY_PATH", "ASAN_OPTIONS", "TMPDIR")


def environment(root, ports, variables):
    """Only what a program needs, so that nothing of where the tests run counts."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    mapped = ",".join(f"{host}=127.0.0.1:{port}" for host, port in ports.items())
    return {**kept, "GPUASSAY_SYSROOT": str(root), "GPUASSAY_METADATA_MAP": mapped, **variables}


def machine(folder, firmware, files):
    for name, text in firmware.items():
        files = {**files, f"sys/class/dmi/id/{name}": text + "\n"}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def detect(agent, tmp_path):
    """detect(firmware, services, ...) runs `probe --json` and returns the document."""
    agent.data_dir.mkdir()

    def run(firmware=None, services=None, variables=None, files=None):
        root = machine(tmp_path / "root", firmware or {}, files or {})
        ports = {host: getattr(service, "port", service) for host, service in (services or {}).items()}
        start = time.monotonic()
        ran = agent("probe", "--json", env=environment(root, ports, variables or {}))
        run.seconds = time.monotonic() - start
        assert ran.returncode == 0, ran.stderr
        run.stderr = ran.stderr
        document = json.loads(ran.stdout)
        assert SECRET not in ran.stdout + ran.stderr
        return document

    return run


def reasons(document):
    return {entry["path"].removeprefix("/platform/"): entry["reason"] for entry in document["unknown"]
            if entry["path"].startswith("/platform")}


def check_nulls(document):
    """Every null has a reason and nothing else has one."""
    platform, why = document["platform"], reasons(document)
    for field in FIELDS:
        assert (platform[field] is None) == (field in why), (field, platform[field], why.get(field))
        assert (platform[field] is not None) == (field in platform["source"]), field
    assert (platform["provider"] == "unknown") == ("provider" in why)
    assert all(0 < len(reason) <= 256 for reason in why.values())


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


# Where services keep secrets, and what no service likes to see.
FORBIDDEN = ("user-data", "user_data", "userdata", "vendor", "credentials", "/ram/", "/cam/", "securitykey", "service-accounts",
             "identity/oauth2", "public-keys", "v1.json", "attributes", "recursive")


def assert_harmless(requests):
    for method, path, headers, _ in requests:
        assert method in ("GET", "PUT")
        assert not [word for word in FORBIDDEN if word in path.lower()], path
        assert not [name for name in headers if name.lower().startswith(("x-forwarded", "forwarded", "proxy", "cookie"))]
        if method == "PUT":
            assert "Content-Length" in headers or "content-length" in headers


def test_every_provider_of_the_contract_has_a_case():
    listed = """aws gcp azure oracle ibm tencent alibaba baidu huawei lambda vastai paperspace gradient colab kaggle genesis
    runpod coreweave digitalocean hetzner ovh scaleway nebius crusoe fluidstack tensordock jarvislabs sagemaker vertex
    azureml""".split()
    assert set(listed) <= {case.says["provider"] for case in CASES}
    assert {"kubernetes", "slurm", "docker"} <= {layer for case in CASES for layer in case.says["host_layer"]}


# ---- servers that hang, lie and send too much --------------------------------------------------------------


def hang(handler):
    time.sleep(20)


def drip(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(40):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.5)


def a_gigabyte(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1073741824\r\n\r\n")
    block = b"x" * (1 << 20)
    for _ in range(1024):
        handler.wfile.write(block)


def endless_chunks(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1024):
        handler.wfile.write(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")


def endless_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100000):
        handler.wfile.write(b"X-%d: %s\r\n" % (number, b"y" * 1000))


def no_http(handler):
    handler.wfile.write(b"\x00\xff\xfe220 smtp.example.org ready\r\n\r\n")


def cut_short(handler):
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"vmSize": "Stand')


def hang_up(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


PAGE = Reply("<html><body>Welcome to the hotel</body></html>", kind="text/html")
BAD = {
    "hangs": (hang, "in time"),
    "drips": (drip, "in time"),
    "a gigabyte": (a_gigabyte, "256 KiB"),
    "endless chunks": (endless_chunks, "256 KiB"),
    "endless headers": (endless_headers, "256 KiB"),
    "no HTTP": (no_http, "HTTP"),
    "hangs up": (hang_up, "HTTP"),
    "cut short": (cut_short, "HTTP"),
    "a portal's page": (PAGE, "content"),
    "forbidden": (Reply("no", status=403), "403"),
    "an error": (Reply("no", status=500), "500"),
    "half of a document": (Reply('{"vmSize": "Standard', kind="application/json"), "JSON"),
    "a list": (Reply([1, 2]), "JSON"),
    "too deep": (Reply('{"a":' * 5000 + "1" + "}" * 5000, kind="application/json"), "JSON"),
    "another provider's document": (Reply({"uuid": fake.UUID, "vmSize": 7}), "Azure"),
    "keys twice": (Reply('{"azEnvironment":"AzurePublicCloud","vmSize":"a","vmSize":"b"}', kind="application/json"), "JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_service_of_a_known_provider(detect, name):
    reply, words = BAD[name]
    with MetadataService({fake.AZURE_NEW: reply}) as service:
        document = detect(AZURE, {IMDS: service})
    assert {k: v for k, v in document["platform"].items() if k not in ("source", "instance_id_hash")} == says("azure")
    assert words in reasons(document)["instance_type"], reasons(document)
    check_nulls(document)
    assert detect.seconds < 12  # 6 s, and a machine that is busy


@pytest.mark.parametrize("name", BAD)
def test_a_bad_service_of_nobody_knows_whom(detect, name):
    reply, _ = BAD[name]

    class Everything(dict):
        def get(self, key, default=None):
            return reply

    with MetadataService(Everything()) as service:
        document = detect(QEMU, {IMDS: service, "169.254.42.42": service, "metadata.nebius.internal": service})
        assert_harmless(service.requests)
        assert service.requests
    assert {k: v for k, v in document["platform"].items() if k not in ("source", "instance_id_hash")} == UNKNOWN
    check_nulls(document)
    assert detect.seconds < 8  # 1.5 s, and a machine that is busy


@pytest.mark.parametrize("value", ["<script>alert(1)</script>", "a b", "x" * 300, "\x1b[2J", "i-\udcff", "../../etc", "", "ж"])
def test_values_that_are_none(detect, value):
    text = value.encode(errors="surrogateescape")
    replies = fake.oracle()
    for path in ("shape", "canonicalRegionName", "ociAdName"):
        replies[f"GET /opc/v2/instance/{path}"].body = text
    with MetadataService(replies) as service:
        document = detect({"chassis_asset_tag": "OracleCloud.com"}, {IMDS: service})
    platform = document["platform"]
    assert platform["instance_type"] is platform["region"] is platform["zone"] is None
    check_nulls(document)


class Trap:
    """Listens, and counts who comes."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        while True:
            connection, _ = self.socket.accept()
            self.visits += 1
            connection.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_not_followed(detect, status):
    trap = Trap()
    away = Reply("", status=status, headers={"Location": f"http://127.0.0.1:{trap.port}/metadata/instance/compute"})
    with MetadataService({fake.AZURE_NEW: away}) as service:
        document = detect(AZURE, {IMDS: service})
    assert document["platform"]["provider"] == "azure" and document["platform"]["instance_type"] is None
    assert "redirect" in reasons(document)["instance_type"]
    assert trap.visits == 0


def test_no_proxy_ever(detect):
    trap = Trap()
    url = f"http://user:pass@127.0.0.1:{trap.port}"
    variables = {name: url for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")}
    with MetadataService(fake.aws()) as service:
        document = detect(NITRO, {IMDS: service}, variables)
    assert document["platform"]["region"] == "us-east-1"
    assert trap.visits == 0


def test_a_recorded_machine_asks_no_service_of_this_one(detect):
    document = detect(AZURE, {})
    assert document["platform"]["provider"] == "azure"
    assert "recorded" in reasons(document)["region"]
    document = detect(AZURE, {"169.254.42.42": Trap()})
    assert "recorded" in reasons(document)["region"]


def test_nobody_listens(detect):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    document = detect(NITRO, {IMDS: port})
    assert document["platform"]["instance_type"] == "p5.48xlarge"
    assert "nothing answers" in reasons(document)["region"]
    document = detect(QEMU, {IMDS: port})
    assert document["platform"]["provider"] == "unknown"
    assert "no metadata service proved" in reasons(document)["provider"]


def test_aws_without_a_token_is_never_asked(detect):
    with MetadataService({"PUT /latest/api/token": Reply("no", status=403)}) as service:
        document = detect(NITRO, {IMDS: service})
        assert service.paths() == ["PUT /latest/api/token"]  # and not again
    assert "403" in reasons(document)["region"]


def test_aws_behind_one_hop_too_many(detect):
    with MetadataService({"PUT /latest/api/token": hang}) as service:
        document = detect(NITRO, {IMDS: service})
    assert document["platform"]["instance_type"] == "p5.48xlarge"
    assert "in time" in reasons(document)["region"]


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


def test_what_the_user_says_wrongly_is_told_and_not_used(detect):
    variables = {"GPUASSAY_PRICING_MODEL": "cheap", "GPUASSAY_PROVIDER": "no such <name>"}
    files = {"etc/gpuassay/platform": "price 3\npricing_model=spot\n"}
    document = detect(QEMU, {}, variables, files)
    assert document["platform"]["provider"] == "unknown" and document["platform"]["pricing_model"] == "spot"
    assert "GPUASSAY_PRICING_MODEL" in detect.stderr and "GPUASSAY_PROVIDER" in detect.stderr
    assert "/etc/gpuassay/platform" in detect.stderr


@pytest.mark.parametrize("value", ["x", "169.254.169.254", "169.254.169.254=", "169.254.169.254=127.0.0.1", "example.org=127.0.0.1:80",
                                   "169.254.169.254=127.0.0.1:0", "169.254.169.254=127.0.0.1:99999", "169.254.169.254=127.0.0.1:80,"])
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
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(SECRET + "-token=="))
        handler.wfile.write((SECRET + "-token==").encode())

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
    with MetadataService({"PUT /latest/api/token": hang}) as service:
        start = time.monotonic()
        result = run_on(agent, root, {IMDS: service.port})
        assert time.monotonic() - start < 20 * TIME_SCALE
    assert result["duration_s"] < 5 * TIME_SCALE and result["platform"]["provider"] == "aws"
    assert "in time" in reasons(result)["region"]
    check_nulls(result)
