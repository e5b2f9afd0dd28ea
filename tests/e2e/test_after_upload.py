"""What a sender hears after sending: how the run compares, what was doubted, and that a deletion was done."""

import base64
import json
import urllib.error
import urllib.request

import ed25519
import pytest
from saved_runs import ACCEPTED, EXAMPLE, accepting, put_runs
from servers import ScriptedCollector, tombstone_for

PERCENTILE = {
    "gpu_model": "Tesla V100", "gpu_count": 1, "score_version": json.loads(EXAMPLE)["score"]["version"],
    "population": 412, "days": 90, "percentile": 0.18, "median": 60, "p10": 50, "p90": 70,
    "specification_estimate": 58, "shrunk": False,
}  # fmt: skip


@pytest.mark.parametrize(
    "change, line",
    [
        ({}, "slower than 82 % of 412 runs of this model, 90 days"),
        ({"population": 7, "shrunk": True}, "the specification's estimate (score 58), shrunk towards the only 7 runs"),
        ({"percentile": 1e9}, "not compared with other runs: the collector's comparison: percentile is outside"),
        ({"gpu_model": "\x1b]0;owned\x07"}, "not compared with other runs: the collector's comparison: gpu_model is not"),
    ],
)
def test_the_percentile_is_shown_with_its_population(agent, change, line):
    put_runs(agent)

    def answer(request):
        if request.command == "POST":
            return accepting(request)
        return 200, ACCEPTED, json.dumps({**PERCENTILE, **change}).encode()

    collector = ScriptedCollector(answer)
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 0 and line in sent.stdout, sent.stdout
    assert "\x1b" not in sent.stdout and "owned" not in sent.stdout
    score = json.loads(EXAMPLE)["score"]
    assert collector.of("GET")[0].path == (
        f"/v1/percentile?gpu_model=Tesla%20V100&gpu_count=1&score_version={score['version']}&score={score['value']}"
    )


def test_a_comparison_that_fails_is_not_asked_for_again(agent):
    put_runs(agent, 3)
    collector = ScriptedCollector(lambda request: accepting(request) if request.command == "POST" else (503, {}, b""))
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 0 and sent.stdout.count("not compared with other runs: HTTP 503") == 1
    assert len(collector.of("POST")) == 3 and len(collector.of("GET")) == 1


def test_a_deleted_run_is_proven_and_never_sent_again(agent):
    run_id, other = put_runs(agent, 2)

    def answer(request):
        if request.command == "DELETE":
            return 200, ACCEPTED, tombstone_for(run_id)
        return accepting(request)

    collector = ScriptedCollector(answer)
    assert agent("upload", "--collector", collector.url).returncode == 0
    done = agent("upload", "--delete", run_id, "--collector", collector.url)
    assert done.returncode == 0 and "deleted at" in done.stdout, done.stdout + done.stderr
    (request,) = collector.of("DELETE")
    assert request.path == f"/v1/results/{run_id}" and request.body == b""
    assert request.headers["Gpuassay-Key"] == collector.of("POST")[0].headers["Gpuassay-Key"]
    key, signature = (base64.b64decode(request.headers[f"Gpuassay-{name}"]) for name in ("Key", "Signature"))
    assert ed25519.verifies(key, b"gpuassay-delete-v1\n" + run_id.encode(), signature)
    runs = agent.data_dir / "runs"
    assert json.loads((runs / f"{run_id}.deleted.json").read_text())["run_id"] == run_id
    assert json.loads((runs / f"{run_id}.withdrawn.json").read_text())["collector"] == collector.url
    assert (runs / f"{run_id}.json").exists(), "the run itself stays"
    posts = len(collector.of("POST"))
    assert agent("upload", "--all", "--collector", collector.url).returncode == 0
    assert [json.loads(post.body)["run_id"] for post in collector.of("POST")[posts:]] == [other]


@pytest.mark.parametrize(
    "status, code, words",
    [
        (404, 0, "there is nothing to delete"),
        (410, 0, "had been deleted"),
        (403, 6, "NOT DELETED, the collector refuses: HTTP 403"),
        (204, 6, "NOT DELETED: HTTP 204, but the answer is not a proof of deletion"),
    ],
)
def test_other_answers_to_a_deletion_are_said_in_words(agent, status, code, words):
    (run_id,) = put_runs(agent)
    collector = ScriptedCollector(lambda request: (status, {}, b""))
    done = agent("upload", "--delete", run_id, "--collector", collector.url)
    assert done.returncode == code and words in done.stdout, done.stdout
    assert "nothing to send" in agent("upload", "--collector", collector.url).stdout, "somebody wanted it away"
    assert agent.files(".deleted.json") == []


def test_only_run_ids_can_be_deleted(agent):
    for name in ("../../etc/passwd", "0190B5A4-7C1D-7B3E-9F00-0123456789AB", "x", ""):
        refused = agent("upload", "--delete", name, "--collector", "http://127.0.0.1:1")
        assert refused.returncode == 2, name
    assert agent("upload", "--delete", "x", "--all", "--collector", "http://127.0.0.1:1").returncode == 2


def test_a_real_collector_compares_and_takes_back(agent, make_collector):
    (run_id,) = put_runs(agent)
    collector = make_collector("--accept-simulated")
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 0, sent.stdout
    # Its answer is one that the agent reads: simulated runs are no population, so the datasheet's estimate is all there is.
    assert "the specification's estimate (score" in sent.stdout or "HTTP 503" in sent.stdout, sent.stdout
    stranger = type(agent)(agent.data_dir.parent / "stranger")
    refused = stranger("upload", "--delete", run_id, "--collector", collector.url)
    assert refused.returncode == 6 and "NOT DELETED, the collector refuses: HTTP 403" in refused.stdout
    done = agent("upload", "--delete", run_id, "--collector", collector.url)
    assert done.returncode == 0 and "deleted at" in done.stdout, done.stdout
    proof = (agent.data_dir / "runs" / f"{run_id}.deleted.json").read_bytes()
    assert json.loads(proof)["kind"] == "gpuassay-tombstone-v1"
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{collector.url}/v1/results/{run_id}", timeout=30)
    again = agent("upload", "--delete", run_id, "--collector", collector.url)
    assert again.returncode == 0, again.stdout
    assert (agent.data_dir / "runs" / f"{run_id}.deleted.json").read_bytes() == proof
    assert "nothing to send" in agent("upload", "--all", "--collector", collector.url).stdout


def test_who_sent_what_cannot_be_true_is_told(agent, make_collector):
    (run_id,) = put_runs(agent)
    path = agent.data_dir / "runs" / f"{run_id}.json"
    document = json.loads(path.read_text())
    document["score"]["value"] = 12345
    path.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    sent = agent("upload", "--collector", make_collector("--accept-simulated").url)
    assert sent.returncode == 0
    assert "it counts in no aggregate and no export: " in sent.stdout and "score_differs" in sent.stdout
