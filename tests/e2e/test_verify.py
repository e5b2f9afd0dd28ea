"""`verify` finds every change to what is stored and makes none; `retract` takes runs out for good."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode

import pytest
from conftest import BIN, ROOT, one_line
from test_store import server, sql, url  # noqa: F401 (fixtures)

sys.path.insert(0, str(ROOT / "tests/support/python"))
from exports import UNDO_WHAT_CAME_WITH_THE_LOG, collector_command, export, files_in, verify  # noqa: E402
from made_runs import Machine, example, placed, slower  # noqa: E402


@pytest.fixture
def filled(make_collector):
    """Three runs, one of them quarantined, and one that was taken back."""
    collector = make_collector()
    machine = Machine(collector.url)
    collector.runs = [machine.send(placed(example("v100"), region="eu-1")), machine.send(slower(example("v100"), 0.05)),
                      machine.send(example("a100"))]
    collector.key = b64encode(machine.key.public.raw).decode()
    gone = machine.send(example("v100"))
    assert collector.stop() == 0
    collector_command("retract", "--data-dir", collector.data_dir, gone)
    collector.gone = gone
    return collector


def test_a_sound_store_is_found_so_and_not_touched(filled):
    before = {name: content for name, content in files_in(filled.data_dir).items() if not name.endswith(("-shm", "-wal"))}
    done = verify(filled)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("3 runs checked, 1 retracted, 0 without a stored signature; public log: 4 leaves, 1 checkpoints, 0 runs "
                           "wait for their leaf; all as they must be\n")
    assert before == {name: content for name, content in files_in(filled.data_dir).items() if not name.endswith(("-shm", "-wal"))}


def change(collector, statement):
    """How many rows were changed."""
    with contextlib.closing(sqlite3.connect(collector.data_dir / "collector.db")) as database:
        count = database.execute(statement).rowcount
        database.commit()
        return count


# What somebody with access to the file may do, in SQL, and what must be said. FIRST and SECOND are runs.
CHANGES = [
    ("UPDATE run SET score = score * 1.0001 WHERE run_id = 'FIRST'", "score is"),
    ("UPDATE run SET gpu_model = 'H100' WHERE run_id = 'FIRST'", "gpu_model is H100 in the store, and Tesla V100 follows"),
    ("UPDATE run SET region = NULL WHERE run_id = 'FIRST'", "region is null in the store, and eu-1 follows"),
    ("UPDATE run SET quarantine_reason = NULL WHERE run_id = 'SECOND'", "quarantine_reason is null"),
    ("UPDATE run SET simulated = 1 WHERE run_id = 'FIRST'", "simulated is"),
    ("UPDATE run SET received_at_ms = received_at_ms + 1 WHERE run_id = 'FIRST'", "received_at is"),
    ("UPDATE run SET body_sha256 = 'aa' WHERE run_id = 'FIRST'", "the body is not the one of its hash"),
    ("UPDATE run_body SET body = CAST(replace(CAST(body AS TEXT), '\"duration_s\":60', '\"duration_s\":61') AS BLOB) "
     "WHERE run_id = 'FIRST'", "the signature is not of this body by its key"),
    ("UPDATE run_body SET body = CAST('{}' AS BLOB) WHERE run_id = 'FIRST'", "the body cannot be read"),
    ("UPDATE run_body SET receipt = (SELECT receipt FROM run_body WHERE run_id = 'SECOND') WHERE run_id = 'FIRST'",
     "the receipt is for another run"),
    ("UPDATE run_body SET receipt = CAST(replace(CAST(receipt AS TEXT), '\"received_at\":\"2', '\"received_at\":\"3') AS BLOB) "
     "WHERE run_id = 'FIRST'", "the receipt's signature does not verify"),
    ("UPDATE run_body SET signature = (SELECT signature FROM run_body WHERE run_id = 'SECOND') WHERE run_id = 'FIRST'",
     "the signature is not of this body"),
    ("DELETE FROM run_body WHERE run_id = 'FIRST'", "its body is missing"),
    ("UPDATE run SET run_id = '019a3b5c-8e00-7a11-8b22-000000000999' WHERE run_id = 'FIRST'", "bodies are stored of runs"),
    ("UPDATE run SET agent_key = 'x' WHERE run_id = 'FIRST'", "signed by keys that are not listed"),
    ("UPDATE run SET score = 1 WHERE retracted_at_ms IS NOT NULL", "retracted runs still say something"),
]


@pytest.mark.parametrize("statement, says", CHANGES, ids=[says for _, says in CHANGES])
def test_every_change_is_found(filled, statement, says):
    assert change(filled, statement.replace("FIRST", filled.runs[0]).replace("SECOND", filled.runs[1])) == 1
    done = verify(filled)
    assert done.returncode == 5 and says in done.stdout, done.stdout + done.stderr
    assert "differ" in done.stdout.splitlines()[-1]


def test_receipts_of_another_collector_are_found(filled):
    with contextlib.closing(sqlite3.connect(filled.data_dir / "collector.db")) as database:
        former = json.loads(database.execute("SELECT receipt FROM run_body").fetchone()[0])
    (filled.data_dir / "key").rename(filled.data_dir / "former")
    done = verify(filled)
    assert done.returncode == 2 and "there is no key" in one_line(done.stderr)
    assert not (filled.data_dir / "key").exists(), "looking makes no key"
    subprocess.run([BIN / "gpuassay-collector", "retract", "--data-dir", filled.data_dir, filled.gone], check=True)
    # Another collector's key in its place.
    other = filled.data_dir / "key"
    other.write_text("gpuassay-ed25519-v1 " + b64encode(bytes(range(32))).decode() + "\n")
    other.chmod(0o600)
    done = verify(filled)
    assert done.returncode == 5 and done.stdout.count("a key that is not this collector's") == 4, "three receipts and the log's checkpoint"
    assert verify(filled, "--former-key", former["collector_key"]).returncode == 0
    assert verify(filled, "--former-key", "x").returncode == 2


def test_runs_from_before_signatures_were_kept_are_counted(filled):
    assert change(filled, "UPDATE run_body SET signature = NULL") == 3
    done = verify(filled)
    assert done.returncode == 0 and "3 without a stored signature" in done.stdout


def test_a_damaged_or_older_or_missing_store_is_one_line(filled, tmp_path):
    missing = collector_command("verify", "--data-dir", tmp_path / "nowhere")
    assert missing.returncode == 6 and "there is no store" in one_line(missing.stderr) and not (tmp_path / "nowhere").exists()
    file = filled.data_dir / "collector.db"
    assert change(filled, "DELETE FROM schema_migration WHERE component = 'run' AND version = (SELECT MAX(version) FROM schema_migration WHERE component = 'run')") == 1
    older = verify(filled)
    assert older.returncode == 6 and "the store has version" in one_line(older.stderr)
    content = bytearray(file.read_bytes())
    content[8192:8200] = b"\xff" * 8
    file.write_bytes(content)
    damaged = verify(filled)
    assert damaged.returncode == 6 and "backup" in one_line(damaged.stderr)
    assert file.read_bytes() == content


def test_a_store_of_the_version_before_is_brought_up_to_date(filled, tmp_path):
    for statement in (*UNDO_WHAT_CAME_WITH_THE_LOG, "DROP INDEX run_simulated", "DROP INDEX run_quarantined", "DROP INDEX signing_key_machine",
                      "ALTER TABLE signing_key DROP COLUMN machine_key",
                      "ALTER TABLE run_body DROP COLUMN signature", "DROP TABLE surrogate_secret",
                      "DELETE FROM schema_migration WHERE component = 'run' AND version >= 4"):
        change(filled, statement)
    assert "version 3" in one_line(verify(filled).stderr)
    assert export(tmp_path / "export", filled.data_dir).count("runs") == 2
    assert "3 runs checked, 1 retracted, 3 without a stored signature; public log: 0 leaves, 0 checkpoints, 3 runs wait" in verify(filled).stdout


def test_the_same_on_postgresql(make_collector, server, url):  # noqa: F811
    collector = make_collector("--database", url)
    machine = Machine(collector.url)
    run_id = machine.send(example("v100"))
    machine.send(example("a100"))
    assert collector.stop() == 0
    assert verify(collector, "--database", url).returncode == 0
    sql(server, f"UPDATE run SET score = 1 WHERE run_id = '{run_id}'")
    done = verify(collector, "--database", url)
    assert done.returncode == 5 and f"{run_id}: score is 1" in done.stdout
    key = b64encode(machine.key.public.raw).decode()
    gone = collector_command("retract", "--key", key, "--data-dir", collector.data_dir, "--database", url)
    assert gone.returncode == 0 and gone.stdout == "2 runs retracted, key revoked\n", gone.stderr
    assert verify(collector, "--database", url).stdout.startswith("0 runs checked, 2 retracted")


def retract(collector, *arguments):
    return collector_command("retract", "--data-dir", collector.data_dir, *arguments)


def test_a_run_is_retracted_while_the_collector_serves(make_collector):
    collector = make_collector()
    machine = Machine(collector.url)
    kept, gone = machine.send(example("v100")), machine.send(example("v100"))
    done = retract(collector, gone)
    assert (done.returncode, done.stdout) == (0, f"{gone} retracted\n")
    assert retract(collector, gone).stdout == f"{gone} had been retracted before\n"
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{collector.url}/v1/results/{gone}")
    assert refusal.value.code == 404
    assert urllib.request.urlopen(f"{collector.url}/v1/results/{kept}").status == 200


def test_a_key_is_revoked_with_all_its_runs(make_collector):
    collector = make_collector("--accept-simulated")
    machine, other = Machine(collector.url), Machine(collector.url)
    machine.send(example("v100"))
    machine.send(slower(example("v100"), 0.05))
    machine.send(example("v100") | {"simulated": True})
    kept = other.send(example("v100"))
    key = b64encode(machine.key.public.raw).decode()
    done = retract(collector, "--key", key)
    assert (done.returncode, done.stdout) == (0, "3 runs retracted, key revoked\n")
    assert retract(collector, "--key", key).stdout == "0 runs retracted, key revoked\n"
    with pytest.raises(AssertionError, match="403"):
        machine.send(example("v100"))
    listed = json.loads(urllib.request.urlopen(f"{collector.url}/v1/results?simulated=true&quarantined=true").read())
    assert [run["run_id"] for run in listed["results"]] == [kept]


@pytest.mark.parametrize("arguments, says", [
    ([], "either their run_ids or --key"), (["--key", "x", "y"], "either their run_ids or --key"),
    (["no-such-run"], "no run no-such-run is stored"), (["--key", "no-such-key"], "signed no run"),
])
def test_nothing_is_retracted_by_mistake(filled, arguments, says):
    done = retract(filled, *arguments)
    assert done.returncode == 2 and says in one_line(done.stderr)
    assert verify(filled).stdout.startswith("3 runs checked, 1 retracted")
