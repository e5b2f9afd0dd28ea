"""The first thread through the whole mission: run, upload, collector, seed prices, score per dollar."""

import json
import sqlite3
import subprocess
import urllib.error
import urllib.request

from conftest import BIN, ROOT

SEED = ROOT / "core/data/seed_prices.csv"
EXAMPLE = ROOT / "schemas/examples/valid/v100_simulated.json"


def put_example(agent, document):
    """Saves a document as the agent would have: its canonical form in the data directory."""
    runs = agent.data_dir / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    agent.data_dir.chmod(0o700)
    runs.chmod(0o700)
    path = runs / (document["run_id"] + ".json")
    path.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    path.chmod(0o600)


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def score_per_dollar(collector):
    database = sqlite3.connect(next(collector.data_dir.glob("*.db")))
    database.row_factory = sqlite3.Row
    query = (ROOT / "core/sql/join.sql").read_text()
    return [dict(row) for row in database.execute(query)]


def test_the_whole_thread(agent, make_collector):
    collector = make_collector("--accept-simulated")

    # A real run of this machine is sent and kept.
    ran = agent("run", "--max-seconds", "3", "--upload", collector.url, "--json")
    assert ran.returncode == 4, ran.stderr
    mine = json.loads(ran.stdout)
    receipt = json.loads((agent.data_dir / "runs" / (mine["run_id"] + ".receipt.json")).read_text())
    assert receipt["run_id"] == mine["run_id"]
    assert json.loads(get(f"{collector.url}/v1/results/{mine['run_id']}")) == mine

    # A hand-made example whose GPU has a seed price, marked simulated.
    example = json.loads(EXAMPLE.read_text())
    put_example(agent, example)
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert agent("upload", "--collector", collector.url).stdout.startswith("every saved result has been dealt with")

    # Prices: the same file into the collector and into the agent's own database; twice changes nothing.
    def load():
        return subprocess.run(
            [str(BIN / "gpuassay-collector"), "import-prices", "--format", "seed", str(SEED), "--data-dir", str(collector.data_dir)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    load()
    first = agent("price", "import", "--format", "seed", SEED)
    assert first.returncode == 0 and "accepted" in first.stdout
    again = agent("price", "import", "--format", "seed", SEED)
    assert "0 new" in again.stdout

    # Simulated results are in no view of the dataset, so this one has to count as real.
    database = sqlite3.connect(next(collector.data_dir.glob("*.db")))
    database.execute("UPDATE run SET simulated = 0")
    database.commit()
    database.close()

    # One query shows score per dollar.
    rows = {row["result_id"]: row for row in score_per_dollar(collector)}
    row = rows[example["run_id"]]
    assert row["match_level"] == "provider_gpu"
    assert row["price_instance_hour_usd_micro"] == 1_720_000
    assert abs(row["score_per_usd_hour"] - example["score"]["value"] / 1.72) < 1e-6
    unpriced = rows[mine["run_id"]]
    assert unpriced["match_level"] == "none" and unpriced["score_per_usd_hour"] is None

    assert collector.stop() == 0


def acknowledged_then_killed(agent, collector):
    """The example, the file of its receipt and what is in it."""
    example = json.loads(EXAMPLE.read_text())
    put_example(agent, example)
    assert agent("upload", "--collector", collector.url).returncode == 0
    receipt = agent.data_dir / "runs" / (example["run_id"] + ".receipt.json")
    first = receipt.read_bytes()
    collector.process.kill()
    collector.process.wait()
    return example, receipt, first


def test_acknowledged_survives_a_kill_and_a_replay_is_answered_the_same(agent, make_collector, tmp_path):
    collector = make_collector("--accept-simulated")
    example, receipt, first = acknowledged_then_killed(agent, collector)

    again = make_collector("--accept-simulated")  # the same data directory
    assert json.loads(get(f"{again.url}/v1/results/{example['run_id']}")) == example
    receipt.unlink()
    assert agent("upload", "--collector", again.url).returncode == 0
    assert receipt.read_bytes() == first


def test_simulated_results_are_refused_unless_asked_for(agent, make_collector):
    collector = make_collector()
    put_example(agent, json.loads(EXAMPLE.read_text()))
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 6
    rejected = json.loads(next((agent.data_dir / "runs").glob("*.rejected.json")).read_text())
    assert "simulated" in rejected["reason"]
    assert agent("upload", "--collector", collector.url).returncode == 0, "a final refusal is not tried again"


def test_another_body_under_a_known_run_id_is_a_conflict(agent, make_collector, tmp_path):
    collector = make_collector("--accept-simulated")
    example = json.loads(EXAMPLE.read_text())
    put_example(agent, example)
    assert agent("upload", "--collector", collector.url).returncode == 0
    other = type(agent)(tmp_path / "other")
    put_example(other, dict(example, duration_s=61))
    sent = other("upload", "--collector", collector.url)
    assert sent.returncode == 6 and "NOT UPLOADED" in sent.stdout
    assert json.loads(get(f"{collector.url}/v1/results/{example['run_id']}")) == example


def test_no_collector_there_keeps_the_result_and_says_so(agent):
    ran = agent("run", "--profile", "quick", "--max-seconds", "4", "--upload", "http://127.0.0.1:1", timeout=120)
    assert ran.returncode == 6
    told = " ".join(ran.stdout.split())
    assert "NOT UPLOADED" in told and "upload --collector http://127.0.0.1:1" in told
    assert len(agent.results()) == 1
    assert agent.files(".receipt.json") == []


def test_offline_never_uploads(agent):
    assert agent("run", "--offline", "--upload", "http://127.0.0.1:1").returncode == 2


def test_bad_uploads_get_problem_documents(make_collector):
    collector = make_collector()
    for body, content_type, status in [(b"{", "application/json", 400), (b"{}", "text/plain", 415)]:
        request = urllib.request.Request(
            f"{collector.url}/v1/results", data=body, headers={"Content-Type": content_type}, method="POST"
        )
        try:
            urllib.request.urlopen(request, timeout=30)
            raise AssertionError("accepted")
        except urllib.error.HTTPError as error:
            assert error.code == status
            assert error.headers["Content-Type"] == "application/problem+json"
            assert json.loads(error.read())["status"] == status
