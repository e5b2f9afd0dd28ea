"""What feeds the devices: the host block of a run on a fake GPU and on the CPU, and a network target that was named."""

import http.server
import json
import socket
import subprocess
import threading

import pytest
from test_gpu import on_fake


def file_system(folder):
    return subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True, check=True).stdout.strip()


def cases(result, workload):
    return {m["id"]: m for m in result["measurements"] if m["workload"] == workload}


def test_a_gpu_machine_is_measured_around_its_gpus(agent):
    ran = on_fake(agent, "T4*2", "--require", "host_gb_per_s.memory.burst>0", profile="standard")
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    disk = cases(result, "disk")
    assert list(disk) == ["disk/sequential_write", "disk/sequential_read", "disk/disk_to_device"]
    assert [m["device"] for m in disk.values()] == [None, None, 0], "of two alike the first is loaded"
    in_memory = file_system(agent.data_dir) in ("tmpfs", "ramfs")
    for m in disk.values():
        if in_memory:
            assert m["status"] == "skipped" and "lies in memory" in m["reason"]
            continue
        assert m["status"] == "ok" and m["verification"]["passed"] and m["metric"]["unit"] == "GB/s", m
        assert m["params"]["bytes"] >= m["params"]["block_bytes"] and m["algorithm"]
        assert m["metric"]["value"] == pytest.approx(m["params"]["bytes"] / m["median_ns"], rel=1e-4)
    host = result["summary"]["instance"]["host_gb_per_s"]
    assert {"memory"} <= set(host) <= {"memory", "disk_write", "disk_read", "disk_to_device"}
    assert result["summary"]["instance"]["host_tflop_per_s"]["fma"]["burst"] > 0
    assert all("host_gb_per_s" not in device for device in result["summary"]["devices"])
    assert in_memory or "a 16 GB model loads in" in ran.stderr
    assert not cases(result, "network"), "nobody named a target"
    assert not list(agent.data_dir.glob("disk-*")), "a file of the disk cases was left"


class Quiet(http.server.BaseHTTPRequestHandler):
    body = b"x" * (8 << 20)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def good_server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/secret-name/file"
        server.shutdown()


def test_a_named_target_is_measured_and_not_told(agent, good_server):
    ran = agent("run", "--profile", "quick", "--max-seconds", "100", "--json", "--network-target", good_server)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    network = cases(result, "network")
    assert list(network) == ["network/connect", "network/download"]
    assert all(m["status"] == "ok" and m["device"] is None for m in network.values())
    assert network["network/download"]["params"]["bytes"] == 8 << 20
    instance = result["summary"]["instance"]
    assert instance["host_gb_per_s"]["network"]["burst"] > 0 and instance["host_latency_us"]["connect"]["burst"] > 0
    assert instance["host_gb_per_s"]["memory"] == instance["bandwidth_gb_per_s"]["triad"], "the CPU is the device"
    assert not cases(result, "disk"), "quick has no time for disks"
    assert "network    download" in ran.stderr
    for hidden in ("127.0.0.1", "secret-name"):
        assert hidden not in ran.stdout
    assert agent("show", result["run_id"]).returncode == 0


def endless(client):
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        client.sendall(b"x" * 65536)


def dripping(client):
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx")
    client.recv(1)  # returns when the other side has enough


def lying(client):
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * (4 << 20))


def redirecting(client):
    client.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def hostile_server():
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(behaviour, client):
        with client:
            try:
                if client.recv(65536):
                    behaviour(client)
            except OSError:
                pass

    def accept(behaviour):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(behaviour, client), daemon=True).start()

    def start(behaviour):
        threading.Thread(target=accept, args=(behaviour,), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.parametrize("behaviour", [endless, dripping, lying, redirecting])
def test_a_hostile_target_costs_seconds_and_nothing_else(agent, hostile_server, behaviour):
    ran = on_fake(agent, "T4", "--network-target", hostile_server(behaviour))
    result = json.loads(ran.stdout)
    download = cases(result, "network")["network/download"]
    if behaviour is endless:
        assert ran.returncode == 0 and download["status"] == "ok", ran.stderr
        assert download["params"]["bytes"] <= 256 << 20
    else:
        assert ran.returncode == 4 and result["status"] == "partial", ran.stderr
        assert download["status"] == "failed" and download["reason"].startswith("network: "), download
    assert result["score"]["value"] > 0
    assert "127.0.0.1" not in ran.stdout
    assert result["duration_s"] < 100


def test_offline_and_a_target_exclude_each_other(agent):
    for words in (["--offline", "--network-target", "http://127.0.0.1:1"], ["--network-target", "ftp://127.0.0.1"]):
        ran = agent("run", *words)
        assert ran.returncode == 2, ran.stderr
    assert not agent.data_dir.exists() or not agent.results()
