"""Everything hostile that reaches a collector is answered as documented, counted, and leaves pages and exports clean."""

import csv
import gzip
import io
import json
import re
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from conftest import ROOT, wait_until

sys.path.insert(0, str(ROOT / "tests/support/python"))
from signed_runs import Key, bodies  # noqa: E402

KEY = Key()
HTML = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://x")'
SQL = "'; DROP TABLE run; --"


@pytest.fixture
def collector(make_collector):
    return make_collector("--uploads-per-hour-of-key", "0", "--uploads-per-hour-of-network", "0")


def ask(collector, path, method="GET", body=None, headers=None):
    """(status, headers, bytes)"""
    request = urllib.request.Request(collector.url + path, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def post(collector, body, headers=None):
    return ask(collector, "/v1/results", "POST", body, KEY.headers(body) if headers is None else headers)


def counted(collector, what):
    metrics = ask(collector, "/metrics")[2].decode()
    found = re.search(rf"^gpuassay_{re.escape(what)} (\d+)$", metrics, re.MULTILINE)
    return int(found.group(1)) if found else 0


def upload(outcome):
    return f'uploads_total{{outcome="{outcome}"}}'


def refused(status):
    return f'http_requests_total{{route="refused",status="{status}"}}'


def expect_problem(answer, status, words):
    got, headers, body = answer
    problem = json.loads(body)
    assert got == problem["status"] == status, body
    assert headers["Content-Type"] == "application/problem+json" and problem["title"]
    assert words in json.dumps(problem), body


def run(**changes):
    """A plausible run of its own that is not said to be simulated, with members replaced by JSON pointer."""
    run_id, body = next(bodies(simulated=False))
    document = json.loads(body)
    for member, ago_s in {"started_at": 3600, "finished_at": 3600 - document["duration_s"]}.items():
        document[member] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - ago_s))
    for pointer, value in changes.items():
        *parents, last = pointer.split("__")
        place = document
        for parent in parents:
            place = place[int(parent) if parent.isdigit() else parent]
        place[last] = value
    return run_id, json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


BODY = run()[1]
REFUSED_BODIES = {
    "malformed": (b'{"schema_version":', 400, "not valid JSON", upload("malformed")),
    "deep": (b"[" * 33 + b"]" * 33, 400, "nested deeper than 32", upload("malformed")),
    "many_values": (b"[" + b"0," * 60_000 + b"0]", 400, "more than 60000 values", upload("malformed")),
    "long_text": (b'{"a":"' + b"x" * 257 + b'"}', 400, "longer than 256 bytes", upload("malformed")),
    "nan": (BODY.replace(b'"duration_s":60', b'"duration_s":NaN'), 400, "not valid JSON", upload("malformed")),
    "infinite": (BODY.replace(b'"duration_s":60', b'"duration_s":1e999'), 400, "too large", upload("malformed")),
    "duplicate_key": (b'{"a":1,"a":2}', 400, "twice", upload("malformed")),
    "bad_utf8": (b'{"a":"\xff"}', 400, "not valid JSON", upload("malformed")),
    "nul": (b'{"a":"\\u0000"}', 400, "NUL", upload("malformed")),
    "not_a_result": (b"{}", 422, "required", upload("invalid")),
    "wrong_type": (run(duration_s="long")[1], 422, "/duration_s", upload("invalid")),
    "no_such_day": (run(started_at="2026-02-30T00:00:00.000Z")[1], 422, "2026-02-30", upload("invalid")),
    "simulated": (next(bodies())[1], 403, "simulated", upload("simulated_refused")),
    "huge": (b"[" + b" " * (1 << 20) + b"]", 413, "1048576", refused(413)),
}


@pytest.mark.parametrize("kind", REFUSED_BODIES)
def test_a_bad_body_is_refused_and_counted(collector, kind):
    body, status, words, metric = REFUSED_BODIES[kind]
    expect_problem(post(collector, body), status, words)
    assert counted(collector, metric) == 1


def test_packed_bodies(collector):
    packed = {"Content-Encoding": "gzip"}
    bomb = gzip.compress(bytes(64 << 20))
    assert len(bomb) < 1 << 17
    expect_problem(post(collector, bomb, KEY.headers(bomb) | packed), 413, "4194304")
    damaged = gzip.compress(BODY)[:-9]
    expect_problem(post(collector, damaged, KEY.headers(BODY) | packed), 400, "gzip")
    expect_problem(post(collector, BODY, KEY.headers(BODY) | {"Content-Encoding": "br"}), 415, "")
    assert [counted(collector, refused(status)) for status in (413, 400, 415)] == [1, 1, 1]


def test_forged_and_replayed_signatures(collector):
    run_id, body = run()
    good = KEY.headers(body)
    expect_problem(post(collector, body, {"Content-Type": "application/json"}), 400, "Gpuassay-Signature")
    expect_problem(post(collector, body, good | {"Gpuassay-Key": Key().headers(body)["Gpuassay-Key"]}), 403, "signature")
    expect_problem(post(collector, run()[1], good), 403, "signature")
    assert counted(collector, upload("unsigned_body")) == 1 and counted(collector, upload("bad_signature")) == 2
    assert ask(collector, "/v1/results/" + run_id)[0] == 404, "nothing of it is stored"

    first, again = post(collector, body), post(collector, body)
    assert (first[0], again[0]) == (201, 200) and first[2] == again[2]
    other = json.dumps(json.loads(body) | {"duration_s": 61}, sort_keys=True, separators=(",", ":")).encode()
    expect_problem(post(collector, other), 409, "another body")
    stranger = Key().deletion_headers(run_id)
    expect_problem(ask(collector, "/v1/results/" + run_id, "DELETE", headers=stranger), 403, "another key")
    assert ask(collector, "/v1/results/" + run_id, "DELETE", headers=KEY.deletion_headers(run_id))[0] == 200
    expect_problem(post(collector, body), 410, "taken back")
    assert [counted(collector, upload(outcome)) for outcome in ("created", "replayed", "conflict", "retracted")] == [1] * 4
    assert counted(collector, 'http_requests_total{route="/v1/results/{id}",status="403"}') == 1


@pytest.mark.parametrize("started_at", ["2015-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"])
def test_a_wrong_clock_keeps_a_run_out_of_everything_but_the_store(collector, started_at):
    run_id, body = run(started_at=started_at)
    status, headers, _ = post(collector, body)
    assert status == 201 and "clock_differs" in headers["Gpuassay-Quarantine"]
    assert counted(collector, "quarantined_total") == 1
    assert run_id.encode() not in ask(collector, "/v1/export.csv")[2] + ask(collector, "/v1/export.ndjson")[2]
    assert "clock_differs" in ask(collector, "/v1/results?quarantined=true")[2].decode()


def test_html_formulas_and_sql_stay_text(collector):
    texts = {"instance_type": HTML, "region": FORMULA, "zone": SQL}
    run_id, body = run(platform__instance_type=HTML, platform__region=FORMULA, platform__zone=SQL)
    assert post(collector, body)[0] == 201
    assert ask(collector, "/v1/results/" + run_id)[2] == body
    _, headers, page = ask(collector, "/r/" + run_id)
    assert b"<script" not in page and b"&lt;script&gt;" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"] and headers["X-Content-Type-Options"] == "nosniff"
    [_, row] = csv.reader(io.StringIO(ask(collector, "/v1/export.csv")[2].decode()))
    assert HTML in row and "'" + FORMULA in row and FORMULA not in row
    line = json.loads(ask(collector, "/v1/export.ndjson")[2])
    assert {name: line[name] for name in ("instance_type", "region")} == {name: texts[name] for name in ("instance_type", "region")}
    asked = urllib.parse.urlencode({"instance_type": HTML, "region": SQL})
    assert json.loads(ask(collector, "/v1/results?" + asked)[2])["results"] == [], "the table is still there"
    assert len(json.loads(ask(collector, "/v1/results")[2])["results"]) == 1


def connected(collector, text=b""):
    connection = socket.create_connection(("127.0.0.1", int(collector.url.rsplit(":", 1)[1])))
    connection.sendall(text)
    return connection


def test_many_slow_connections_hear_503_are_cut_off_and_are_counted(make_collector):
    collector = make_collector("--connections-per-network", "30")
    slow = [connected(collector, b"POST /v1/results HTTP/1.1\r\nX-Slow: ") for _ in range(29)]
    last = connected(collector, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")  # and kept: its place is taken
    assert last.recv(4096).startswith(b"HTTP/1.1 200"), "one place is left"
    beyond = connected(collector)
    header, _, problem = beyond.recv(4096).partition(b"\r\n\r\n")
    assert header.startswith(b"HTTP/1.1 503") and b"Retry-After" in header and json.loads(problem)["status"] == 503
    beyond.close()
    last.close()
    limit = time.monotonic() + 30
    for connection in slow:
        connection.settimeout(max(0.1, limit - time.monotonic()))
        assert connection.recv(1) == b"", "the header did not come within its time"
        connection.close()
    assert wait_until(lambda: ask(collector, "/healthz")[0] == 200)
    assert counted(collector, refused(503)) >= 1
    assert counted(collector, refused(408)) == 29
