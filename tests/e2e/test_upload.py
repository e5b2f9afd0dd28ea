"""Contributing results over networks and to servers that misbehave: what arrives, what waits, what is believed."""

import base64
import hashlib
import json
import os
import socket
import sqlite3
import subprocess
import threading

import ed25519
import pytest
from conftest import on_one_cpu
from saved_runs import ACCEPTED, accepting, put_runs, settled
from servers import AnswerHolder, ConnectProxy, Dripper, ScriptedCollector, TlsRelay, receipt_for


def rows(collector):
    database = sqlite3.connect(next(collector.data_dir.glob("*.db")))
    table = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%body_sha256%'")][0]
    return [run_id for (run_id,) in database.execute(f"SELECT run_id FROM {table} ORDER BY run_id")]


def environment(**variables):
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**clean, **variables}


def test_what_is_sent_is_signed_and_exactly_the_file(agent):
    (run_id,) = put_runs(agent)
    collector = ScriptedCollector(accepting)
    printed = agent("upload", "--dry-run", "--collector", collector.url)
    assert printed.returncode == 0 and run_id in printed.stderr
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    (post,) = collector.of("POST")
    assert post.body == agent.files()[0].read_bytes()
    assert printed.stdout.encode() == post.body + b"\n"
    key = base64.b64decode(post.headers["Gpuassay-Key"])
    message = b"gpuassay-result-v1\n" + hashlib.sha256(post.body).hexdigest().encode()
    assert ed25519.verifies(key, message, base64.b64decode(post.headers["Gpuassay-Signature"]))
    assert f"{collector.url}/r/{run_id}" in sent.stdout
    assert f"upload --delete {run_id} --collector {collector.url}" in sent.stdout
    assert agent("upload", "--collector", collector.url).returncode == 0
    assert len(collector.of("POST")) == 1, "never twice"


@pytest.mark.parametrize("reply", ["portal", "other run", "other body", "forged", "redirect"])
def test_only_a_signed_receipt_for_this_body_is_success(agent, reply):
    put_runs(agent, 2)

    def answer(request):
        receipt = receipt_for(request.body)
        return {
            "portal": (200, {"Content-Type": "text/html"}, b"<html>\x1b[31mPlease log in</html>"),
            "other run": (201, ACCEPTED, receipt_for(request.body, run_id="0190b5a4-7c1d-7b3e-9f00-ffffffffffff")),
            "other body": (201, ACCEPTED, receipt_for(request.body + b" ")),
            "forged": (201, ACCEPTED, receipt.replace(b"2026-11-26", b"2026-11-27")),
            "redirect": (307, {"Location": "https://elsewhere.invalid/"}, b""),
        }[reply]

    collector = ScriptedCollector(answer)
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 6 and "NOT UPLOADED" in sent.stdout and "\x1b" not in sent.stdout
    assert "1 more result waits" in sent.stdout
    assert len(collector.requests) == 1, "what is no collector is not asked again"
    assert settled(agent) == []


def test_without_a_network_the_whole_upload_ends_at_the_first_run(agent):
    put_runs(agent, 8)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    # Eight runs of up to 10 s each would not end in this time.
    sent = agent("upload", "--collector", url, timeout=30)
    assert sent.returncode == 6
    assert sent.stdout.count("NOT UPLOADED") == 1
    assert f"7 more results wait; send later with: {agent.program} --data-dir {agent.data_dir} upload" in sent.stdout
    assert settled(agent) == []


def test_a_trickle_ends_at_the_deadline_and_is_not_repeated(agent):
    put_runs(agent, 2)
    server = Dripper()
    sent = agent("upload", "--collector", f"http://127.0.0.1:{server.port}", timeout=90)
    assert sent.returncode == 6 and "took too long" in sent.stdout
    assert server.gone.wait(10) and server.connections == 1
    assert settled(agent) == []


def test_a_busy_collector_is_waited_for_as_it_asks(agent):
    put_runs(agent, 2)
    collector = ScriptedCollector(
        lambda request: (503, {"Retry-After": "2"}, b"") if len(collector.requests) == 1 else accepting(request)
    )
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert "next attempt is in 2 s" in sent.stderr
    assert len(agent.files(".receipt.json")) == 2


def test_a_run_does_not_wait_for_a_busy_collector(agent):
    collector = ScriptedCollector(lambda request: (429, {"Retry-After": "300"}, b""))
    ran = agent("run", "--device", "cpu", "--max-seconds", "3", "--upload", collector.url, timeout=100, preexec_fn=on_one_cpu)
    assert ran.returncode == 6
    told = " ".join(ran.stdout.split())
    assert "NOT UPLOADED: HTTP 429; the result waits; send it later with:" in told and "upload --collector" in told
    assert len(collector.requests) == 1
    there = ScriptedCollector(accepting)
    assert agent("upload", "--collector", there.url).returncode == 0
    assert [post.body for post in there.of("POST")] == [path.read_bytes() for path in agent.files()]


def test_killed_between_commit_and_receipt_it_resumes_with_the_same_receipt(agent, make_collector):
    (run_id,) = put_runs(agent)
    collector = make_collector("--accept-simulated")
    answers, started, killed = [], threading.Event(), threading.Event()

    def kill(answer):
        answers.append(answer)
        assert started.wait(30)
        process.kill()
        process.wait()
        killed.set()

    holder = AnswerHolder(int(collector.url.rsplit(":", 1)[1]), kill)
    process = agent.start("upload", "--collector", f"http://127.0.0.1:{holder.port}")
    started.set()
    assert killed.wait(60)
    assert rows(collector) == [run_id], "committed"
    assert settled(agent) == []
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 0, sent.stdout
    assert rows(collector) == [run_id], "once"
    first = answers[0].partition(b"\r\n\r\n")[2]
    assert agent.files(".receipt.json")[0].read_bytes() == first


def test_one_result_that_breaks_the_server_does_not_hold_up_the_others(agent):
    bad, *good = put_runs(agent, 3)

    def answer(request):
        if bad.encode() in request.body:
            return 500, {}, b""
        if good[0].encode() in request.body:
            return 400, {"Content-Type": "application/problem+json"}, b'{"title":"Not JSON"}'
        return accepting(request)

    sent = agent("upload", "--collector", ScriptedCollector(answer).url)
    assert sent.returncode == 6
    assert settled(agent) == [f"{good[1]}.receipt.json", f"{good[0]}.rejected.json"]
    assert f"{bad} NOT UPLOADED: HTTP 500" in sent.stdout


def certificate(folder, host):
    files = folder / "tls.pem", folder / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


@pytest.mark.parametrize("way", ["flags", "variables"])
def test_https_through_a_proxy_with_an_authority_of_ones_own(agent, make_collector, tmp_path, way):
    (run_id,) = put_runs(agent)
    collector = make_collector("--accept-simulated")
    pem, key = certificate(tmp_path, "collector.invalid")
    tls = TlsRelay(int(collector.url.rsplit(":", 1)[1]), pem, key)
    secret = "Basic " + base64.b64encode(b"me:hunter2").decode()
    proxy = ConnectProxy(authorization=secret)
    address = f"http://me:hunter2@127.0.0.1:{proxy.port}"
    url = f"https://collector.invalid:{tls.port}"  # a name that only the proxy can find
    if way == "flags":
        flags, variables = ["--proxy", address, "--ca", pem], {}
    else:
        flags, variables = [], {"HTTPS_PROXY": address, "SSL_CERT_FILE": str(pem), "no_proxy": "example.org"}
    sent = agent("upload", "--collector", url, *flags, env=environment(**variables))
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert rows(collector) == [run_id]
    assert proxy.heads[0].startswith(f"CONNECT collector.invalid:{tls.port} HTTP/1.1\r\n")
    assert "hunter2" not in sent.stdout + sent.stderr
    assert b"Gpuassay-Key" not in proxy.bytes_seen and len(proxy.bytes_seen) > 1000, "the proxy sees noise"


def test_a_certificate_nobody_trusts_stops_the_upload(agent, make_collector, tmp_path):
    put_runs(agent)
    collector = make_collector("--accept-simulated")
    pem, key = certificate(tmp_path, "localhost")
    tls = TlsRelay(int(collector.url.rsplit(":", 1)[1]), pem, key)
    sent = agent("upload", "--collector", f"https://localhost:{tls.port}", env=environment())
    assert sent.returncode == 6 and "certificate verify failed" in sent.stdout
    other = agent("upload", "--collector", f"https://127.0.0.1:{tls.port}", "--ca", pem, env=environment())
    assert other.returncode == 6 and "certificate verify failed" in other.stdout, "made for another host"
    assert rows(collector) == []
    assert agent("upload", "--collector", f"https://localhost:{tls.port}", "--ca", key, env=environment()).returncode == 6
    missing = agent("run", "--upload", f"https://localhost:{tls.port}", "--ca", tmp_path / "none.pem")
    assert missing.returncode == 2 and "--ca" in missing.stderr, "told before anything is measured"


def test_no_proxy_goes_around_and_a_proxys_refusal_is_told_without_its_password(agent):
    put_runs(agent)
    collector = ScriptedCollector(accepting)
    proxy = ConnectProxy(authorization="Basic other")
    address = f"http://me:hunter2@127.0.0.1:{proxy.port}"
    refused = agent("upload", "--collector", "https://collector.invalid", "--proxy", address, env=environment())
    assert refused.returncode == 6 and "opens no tunnel" in refused.stdout and "HTTP 407" in refused.stdout
    assert "hunter2" not in refused.stdout + refused.stderr
    before = len(proxy.heads)
    variables = {"http_proxy": address, "NO_PROXY": "localhost,.invalid"}
    around = agent("upload", "--collector", "http://collector.invalid", env=environment(**variables))
    assert around.returncode == 6 and "found" in around.stdout and len(proxy.heads) == before
    sent = agent("upload", "--collector", collector.url, env=environment(http_proxy=address))
    assert sent.returncode == 0 and len(proxy.heads) == before, "no proxy stands before this machine"
    bad = agent("upload", "--collector", collector.url, "--proxy", "socks5://me:hunter2@x")
    assert bad.returncode == 2 and "hunter2" not in bad.stderr


def test_all_sends_what_was_refused_before(agent, make_collector):
    (run_id,) = put_runs(agent)
    strict = make_collector()
    assert agent("upload", "--collector", strict.url).returncode == 6
    strict.stop()
    open_one = make_collector("--accept-simulated")
    assert "nothing to send" in agent("upload", "--collector", open_one.url).stdout
    assert rows(open_one) == []
    assert agent("upload", "--all", "--collector", open_one.url).returncode == 0
    assert rows(open_one) == [run_id]


def test_the_collector_of_the_environment(agent):
    put_runs(agent)
    nowhere = agent("upload", env=environment())
    assert nowhere.returncode == 2 and "GPUASSAY_COLLECTOR" in nowhere.stderr
    collector = ScriptedCollector(accepting)
    assert agent("upload", env=environment(GPUASSAY_COLLECTOR=collector.url)).returncode == 0
    assert len(collector.of("POST")) == 1


def test_packets_that_vanish_cost_five_seconds(agent):
    put_runs(agent, 2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        # Nobody accepts: with its queue full the system answers no further connection at all.
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
            fillers.append(filler)
        sent = agent("upload", "--collector", f"http://127.0.0.1:{server.getsockname()[1]}", timeout=60)
        for filler in fillers:
            filler.close()
    assert sent.returncode == 6 and "it took too long" in sent.stdout and "1 more result waits" in sent.stdout, sent.stdout
    assert settled(agent) == []
