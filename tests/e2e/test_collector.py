"""The collector as those who ask see it: every documented address, pages, exports, limits, deletion by a signed request."""

import csv
import io
import json
import random
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT, wait_until

sys.path.insert(0, str(ROOT / "tests/support/python"))
from signed_runs import Client, bodies  # noqa: E402

OPENAPI = json.loads((ROOT / "schemas/openapi.v1.json").read_text())


def get(collector, path):
    """(status, headers, bytes)"""
    try:
        with urllib.request.urlopen(collector.url + path) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.fixture
def collector(make_collector):
    collector = make_collector("--accept-simulated")
    assert wait_until(lambda: get(collector, "/v1/gpus")[0] != 503, 60)  # aggregates are there a moment after the start
    return collector


@pytest.fixture
def runs(collector):
    """Ten simulated runs by two machines."""
    ids = []
    source = bodies()
    for client in (Client(collector.url), Client(collector.url)):
        for _ in range(5):
            run_id, body = next(source)
            assert client.post(body) == 201
            ids.append(run_id)
        client.close()
    return ids


def test_every_documented_address_answers(collector, runs):
    status, _, body = get(collector, "/openapi.json")
    assert status == 200 and json.loads(body) == OPENAPI
    assert wait_until(lambda: len(json.loads(get(collector, "/v1/log/leaves")[2])["leaves"]) == 10)
    for path, item in OPENAPI["paths"].items():
        if "get" not in item or "/challenges/" in path:  # a challenge has to be there: test_verified.py
            continue
        filled = path.replace("{run_id}", runs[0])
        if "percentile" in path:
            run = json.loads(get(collector, "/v1/results?simulated=true&limit=1")[2])["results"][0]
            filled += f"?gpu_model=Tesla%20V100&gpu_count=1&score_version={run['score_version']}&score=50"
        filled += {"/v1/log/inclusion": f"?run_id={runs[0]}&size=10", "/v1/log/consistency": "?from=1&to=10"}.get(path, "")
        status, headers, _ = get(collector, filled)
        assert status == 200, path
        assert headers["Content-Type"] in item["get"]["responses"]["200"]["content"], path


def test_answers_have_the_documented_fields(collector, runs):
    results = json.loads(get(collector, "/v1/results?simulated=true&quarantined=true&limit=3")[2])["results"]
    assert len(results) == 3
    for result in results:
        assert set(result) == set(OPENAPI["components"]["schemas"]["run"]["properties"])
    for path in ("/v1/gpus", "/v1/offers"):
        schema = OPENAPI["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(json.loads(get(collector, path)[2])) == set(schema["properties"])


def test_simulated_runs_are_in_no_export(collector, runs):
    status, headers, body = get(collector, "/v1/export.csv")
    assert status == 200 and headers["Transfer-Encoding"] == "chunked"
    rows = list(csv.reader(io.StringIO(body.decode())))
    assert rows[0][0] == "run_id" and len(rows) == 1
    assert get(collector, "/v1/export.ndjson")[2] == b""
    assert json.loads(get(collector, "/v1/gpus")[2])["gpus"] == []


def test_wrong_questions_are_problem_documents(collector):
    for path in ("/v1/results?limit=0", "/v1/results?colour=red", "/v1/percentile", "/v1/export.csv?simulated=true",
                 "/v1/results?gpu_model=%ff", "/nothing", "/r/none"):
        status, headers, body = get(collector, path)
        problem = json.loads(body)
        assert status in (400, 404) and headers["Content-Type"] == "application/problem+json"
        assert problem["status"] == status and problem["detail"], path


def test_too_many_runs_of_a_key_are_told_when_to_come_again(make_collector):
    collector = make_collector("--accept-simulated", "--uploads-per-hour-of-network", "1")
    source, client = bodies(), Client(collector.url)
    answers = [client.post(next(source)[1]) for _ in range(62)]
    assert answers == [201] * 60 + [429] * 2


def test_logs_are_json_lines_without_what_clients_sent(make_collector):
    collector = make_collector("--accept-simulated", "--log-format", "json", "--log-requests")
    run_id, body = next(bodies())
    client = Client(collector.url)
    assert client.post(body) == 201
    client.close()
    assert get(collector, "/v1/results/secret")[0] == 404
    collector.process.terminate()
    lines = [json.loads(line) for line in collector.process.stderr.read().splitlines()]
    assert collector.process.wait(timeout=30) == 0
    upload, question, stopped = lines  # the line of the start was read before
    assert upload["event"] == "request" and upload["level"] == "info"
    assert (upload["method"], upload["route"], upload["status"]) == ("POST", "/v1/results", 201)
    assert upload["outcome"] == "created" and upload["duration_ms"] > 0 and upload["time"].endswith("Z")
    assert question["route"] == "/v1/results/{id}" and "outcome" not in question
    assert stopped["event"] == "stopped"
    assert not any(word in json.dumps(lines) for word in (run_id, "secret", "127.0.0.1"))


def test_of_many_agents_that_return_together_none_is_lost(make_collector):
    """More than the collector has room for: it sheds with 503 and refused connections, and they come again."""
    agents = 300
    collector = make_collector("--accept-simulated", "--connections-per-network", "16")
    source, start = bodies(), threading.Event()
    shed, unexpected = [], []

    def send(body):
        client = Client(collector.url)
        start.wait()
        for attempt in range(1000):
            status = client.post(body)
            client.close()
            if status in (200, 201):
                return
            (shed if status in (503, None) else unexpected).append(status)
            time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))  # full jitter, as agents do
        unexpected.append("gave up")

    runs = [next(source) for _ in range(agents)]
    threads = [threading.Thread(target=send, args=(body,)) for _, body in runs]
    for thread in threads:
        thread.start()
    start.set()
    for thread in threads:
        thread.join()
    assert not unexpected and shed.count(503) > 0
    stored = json.loads(get(collector, "/v1/results?simulated=true&quarantined=true&limit=500")[2])["results"]
    assert sorted(run["run_id"] for run in stored) == sorted(run_id for run_id, _ in runs)
