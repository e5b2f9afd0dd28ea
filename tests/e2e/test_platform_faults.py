"""Metadata services that hang, lie, redirect and send too much: what firmware says stays, nothing else is believed, nobody
else is asked."""

import socket
import threading
import time

import fake_metadata as fake
import pytest
from conftest import TIME_SCALE
from fake_metadata import IMDS, MetadataService, Reply
from platform_cases import AZURE, NITRO, QEMU, UNKNOWN, says
from platform_machine import assert_harmless, check_nulls, detect, reasons  # detect: a fixture



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
    assert detect.seconds < 12 * TIME_SCALE  # 6 s, and a machine that is busy


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
    assert detect.seconds < 8 * TIME_SCALE  # 1.5 s, and a machine that is busy


NO_VALUES = ["<script>alert(1)</script>", "a b", "x" * 300, "\x1b[2J", "i-\udcff", "../../etc", "", "ж"]


@pytest.mark.parametrize("value", NO_VALUES)
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


@pytest.mark.parametrize("status", [403, 404])
def test_the_verbose_log_tells_a_service_switched_off_from_another_cloud(detect, status):
    with MetadataService({"PUT /latest/api/token": Reply("no", status=status)}) as service:
        detect(NITRO, {IMDS: service}, options=["--verbose"])
        assert f"gpuassay: metadata: PUT 169.254.169.254/latest/api/token: HTTP {status}\n" in detect.stderr
        detect(NITRO, {IMDS: service})
        assert "metadata:" not in detect.stderr


def test_the_verbose_log_holds_no_token(detect):
    with MetadataService(fake.aws()) as service:
        assert detect(NITRO, {IMDS: service}, options=["--verbose"])["platform"]["instance_type"] is not None
    asked = [line for line in detect.stderr.splitlines() if line.startswith("gpuassay: metadata: ")]
    assert len(asked) == len(service.requests) and all(line.endswith(": HTTP 200") for line in asked)
