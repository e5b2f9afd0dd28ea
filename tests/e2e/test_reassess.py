"""`reassess` brings stored runs up to this program: killed at any time, beside a running server, and on PostgreSQL."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import urllib.request

import pytest
from conftest import BIN, ROOT, TIME_SCALE, one_line
from test_store import server, sql, url  # noqa: F401 (fixtures)

sys.path.insert(0, str(ROOT / "tests/support/python"))
from exports import collector_command, verify  # noqa: E402
from made_runs import Machine, example, slower  # noqa: E402
from signed_runs import bodies  # noqa: E402

# What a program with another score and other rules has written, without the doing of anybody.
OLDER = "UPDATE run SET score_version = '0.1', score = 12.5, quarantine_reason = 'above_peak: as it was then'"
KEPT = ("SELECT run_id, body_sha256, agent_key, received_at_ms, trust, retracted_at_ms FROM run ORDER BY run_id",
        "SELECT * FROM run_body ORDER BY run_id", "SELECT * FROM signing_key")
MANY = 400 if TIME_SCALE == 1 else 200  # of a hundred in a transaction


def store(collector):
    return contextlib.closing(sqlite3.connect(collector.data_dir / "collector.db", timeout=30))


def change(collector, statement):
    with store(collector) as database:
        count = database.execute(statement).rowcount
        database.commit()
        return count


def rows(collector, *queries):
    with store(collector) as database:
        return [database.execute(query).fetchall() for query in queries]


def everything(collector):
    return rows(collector, "SELECT * FROM run ORDER BY run_id", *KEPT)


def reassess(collector, *arguments):
    return collector_command("reassess", "--data-dir", collector.data_dir, *arguments)


@pytest.fixture
def filled(make_collector):
    """Two runs that count, one that is quarantined, and one that was taken back."""
    collector = make_collector()
    machine = Machine(collector.url)
    collector.runs = [machine.send(example("v100")), machine.send(example("a100")), machine.send(slower(example("v100"), 0.05))]
    gone = machine.send(example("v100"))
    assert collector.stop() == 0
    collector_command("retract", "--data-dir", collector.data_dir, gone)
    return collector


@pytest.fixture
def many(make_collector):
    collector = make_collector("--accept-simulated", "--uploads-per-hour-of-key", "0", "--uploads-per-hour-of-network", "0")
    machine = Machine(collector.url)
    source = bodies()
    for _ in range(MANY):
        assert machine.post(next(source)[1]) == 201
    assert collector.stop() == 0
    return collector


def test_after_an_upgrade(filled):
    before = everything(filled)
    assert change(filled, OLDER + " WHERE retracted_at_ms IS NULL") == 3
    said = verify(filled)
    assert said.returncode == 0 and said.stdout.count("\n") == 1, "a score of another version is no corruption"
    assert "3 have a score of another version than" in said.stdout and "`gpuassay-collector reassess`" in said.stdout

    done = reassess(filled)
    assert (done.returncode, done.stdout) == (
        0, "3 runs read, 3 changed, 0 newly quarantined, 2 released from quarantine, 0 left as they were\n"), done.stderr
    assert done.stderr == "3 of 3 runs read, 3 changed\n"
    assert everything(filled) == before
    assert verify(filled).stdout.endswith("; all as they must be\n")

    assert reassess(filled).stdout.startswith("3 runs read, 0 changed, 0 newly quarantined, 0 released")
    assert everything(filled) == before


def test_an_operators_quarantine_stays_and_the_documents_comes_back(filled):
    held, _, impossible = filled.runs
    assert change(filled, f"UPDATE run SET quarantine_reason = 'its key was sold' WHERE run_id = '{held}'") == 1
    before = everything(filled)
    assert change(filled, f"UPDATE run SET quarantine_reason = NULL WHERE run_id = '{impossible}'") == 1
    assert verify(filled).returncode == 5
    assert "3 runs read, 1 changed, 1 newly quarantined, 0 released" in reassess(filled).stdout
    assert everything(filled) == before
    assert verify(filled).returncode == 0


def test_a_body_that_cannot_be_read_is_named_and_left(filled):
    broken = filled.runs[0]
    change(filled, OLDER + " WHERE retracted_at_ms IS NULL")
    change(filled, f"UPDATE run_body SET body = CAST('{{}}' AS BLOB) WHERE run_id = '{broken}'")
    kept = rows(filled, f"SELECT * FROM run WHERE run_id = '{broken}'", *KEPT)
    done = reassess(filled)
    assert done.returncode == 4 and f"{broken}: left as it is: the body is not the one of its hash\n" in done.stdout
    assert "3 runs read, 2 changed, " in done.stdout and "1 left as they were" in done.stdout
    assert rows(filled, f"SELECT * FROM run WHERE run_id = '{broken}'", *KEPT) == kept


def test_killed_in_the_middle(many):
    before = everything(many)
    assert change(many, OLDER) == MANY
    process = subprocess.Popen([BIN / "gpuassay-collector", "reassess", "--data-dir", many.data_dir],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    first = process.stderr.readline()
    process.kill()
    process.wait()
    assert first == f"100 of {MANY} runs read, 100 changed\n"
    # In the order of run_ids so many batches are wholly as they will be, and the others as they were.
    versions = [version for (version,) in rows(many, "SELECT score_version FROM run ORDER BY run_id")[0]]
    old = versions.count("0.1")
    assert 0 < old <= MANY - 100 and old % 100 == 0 and versions[-old:] == ["0.1"] * old
    said = verify(many)
    assert said.returncode == 0 and f"{old} have a score of another version" in said.stdout

    assert f"{MANY} runs read, {old} changed" in reassess(many).stdout
    assert everything(many) == before
    assert reassess(many).stdout.startswith(f"{MANY} runs read, 0 changed")


def test_beside_a_running_collector(many, make_collector):
    before = everything(many)
    assert change(many, OLDER) == MANY
    running = make_collector("--accept-simulated", "--uploads-per-hour-of-key", "0")
    assert running.data_dir == many.data_dir
    process = subprocess.Popen([BIN / "gpuassay-collector", "reassess", "--data-dir", many.data_dir],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    machine, source, sent = Machine(running.url), bodies(), set()
    while process.poll() is None:
        run_id, body = next(source)
        assert machine.post(body) == 201, "uploads go on"
        sent.add(run_id)
        # Readers see each run as it was or as it will be.
        for run in json.loads(urllib.request.urlopen(f"{running.url}/v1/results?simulated=true&quarantined=true&limit=500").read())["results"]:
            assert (run["score_version"] == "0.1") == (run["quarantine_reason"] == "above_peak: as it was then") == (run["score"] == 12.5)
    output, problems = process.communicate()
    assert process.returncode == 0, output + problems
    assert f"{MANY} changed" in output
    assert running.stop() == 0
    after = everything(many)
    assert [row for row in after[0] if row[0] not in sent] == before[0]
    assert verify(many).stdout.startswith(f"{MANY + len(sent)} runs checked") and verify(many).returncode == 0


def test_the_same_on_postgresql(make_collector, server, url):  # noqa: F811
    collector = make_collector("--database", url)
    machine = Machine(collector.url)
    run_id = machine.send(example("v100"))
    machine.send(example("a100"))
    assert collector.stop() == 0
    everything_there = "SELECT * FROM run ORDER BY run_id; SELECT * FROM run_body ORDER BY run_id; SELECT * FROM signing_key"
    before = sql(server, everything_there)
    sql(server, f"{OLDER} WHERE run_id = '{run_id}'")
    said = verify(collector, "--database", url)
    assert said.returncode == 0 and "1 have a score of another version" in said.stdout
    # A URL is enough: neither key nor data directory is needed.
    done = collector_command("reassess", "--database", url)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 runs read, 1 changed, 0 newly quarantined, 1 released from quarantine, 0 left as they were\n"
    assert sql(server, everything_there) == before
    assert collector_command("reassess", GPUASSAY_DATABASE=url).stdout.startswith("2 runs read, 0 changed")
    assert verify(collector, "--database", url).stdout.endswith("; all as they must be\n")


@pytest.mark.parametrize("arguments, code, says", [
    ([], 2, "--data-dir is required"), (["--database", "mysql://secret"], 2, "postgresql://"),
    (["--data-dir", "nowhere"], 6, "there is no store"), (["--data-dir", "d", "--force"], 2, "--force"),
])
def test_a_mistake_is_one_line_and_makes_nothing(tmp_path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    done = collector_command("reassess", *arguments)
    assert done.returncode == code and says in one_line(done.stderr) and "secret" not in done.stderr
    assert list(tmp_path.iterdir()) == []
