"""`verify` finds a rewritten log in the store, and anybody finds it from files alone; no false proof is believed."""

import contextlib
import json
import sqlite3
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest
from conftest import ROOT, one_line
from public_log import FLAGS, check_consistency, checkpoint_of, send, verified
from rfc6962 import sha256

sys.path.insert(0, str(ROOT / "tests/support/python"))
from exports import collector_command, verify  # noqa: E402


# What somebody with access to the file may do to history, in SQL, and what `verify` must say of it.
REWRITTEN = [
    ("UPDATE log_node SET hash = x'" + "ab" * 32 + "' WHERE level = 0 AND node_index = 1", "log: leaf 1 is not that of run"),
    ("UPDATE log_node SET hash = x'" + "ab" * 32 + "' WHERE level = 1 AND node_index = 0", "log: node 0 of level 1 does not follow"),
    ("UPDATE log_node SET hash = x'ab' WHERE level = 0 AND node_index = 1", "log: leaf 1 is no hash"),
    ("DELETE FROM log_node WHERE level = 0 AND node_index = 2", "log: leaf 2 is missing"),
    ("DELETE FROM log_node WHERE level = 2", "log: node 0 of level 2 is missing"),
    ("DELETE FROM log_entry WHERE leaf_index = 4", "log: leaf 4 belongs to no run"),
    ("UPDATE log_entry SET salt = NULL WHERE leaf_index = 1", "the salt of its leaf in the public log is missing"),
    ("UPDATE log_entry SET salt = zeroblob(32) WHERE leaf_index = 1", "its leaf in the public log is not that of its receipt"),
    ("UPDATE log_checkpoint SET checkpoint = replace(checkpoint, 'made_at\":\"2', 'made_at\":\"3') WHERE tree_size = 5",
     "the checkpoint's signature does not verify"),
]


@pytest.fixture
def rewritten(make_collector):
    """Five runs in a log, its checkpoint and the database to change."""
    collector = make_collector(*FLAGS)
    collector.receipts = send(collector, 5)
    collector.newest = checkpoint_of(collector, 5)
    assert collector.stop() == 0
    return collector


def change(collector, *statements):
    with contextlib.closing(sqlite3.connect(collector.data_dir / "collector.db")) as database:
        for statement, *values in statements:
            assert database.execute(statement, values).rowcount > 0, statement
        database.commit()


@pytest.mark.parametrize("statement, says", REWRITTEN, ids=[says for _, says in REWRITTEN])
def test_every_change_of_the_log_is_found(rewritten, statement, says):
    assert verify(rewritten).returncode == 0
    change(rewritten, [statement])
    done = verify(rewritten)
    assert done.returncode == 5 and says in done.stdout and "differ" in done.stdout.splitlines()[-1], done.stdout + done.stderr


def rewrite_history(collector, leave_out):
    """As the operator could who wants a run never to have been: a whole new tree, right in itself."""
    with contextlib.closing(sqlite3.connect(collector.data_dir / "collector.db")) as database:
        rows = database.execute("SELECT run_id, leaf_hash FROM log_entry ORDER BY leaf_index").fetchall()
        rows = [row for row in rows if row[0] != leave_out]
        database.execute("DELETE FROM log_node")
        for table in ("log_entry", "run", "run_body"):
            database.execute(f"DELETE FROM {table} WHERE run_id = ?", [leave_out])
        for index, (run_id, _) in enumerate(rows):
            database.execute("UPDATE log_entry SET leaf_index = ? WHERE run_id = ?", [index, run_id])
        level, hashes = 0, [leaf for _, leaf in rows]
        while hashes:
            for index, node in enumerate(hashes):
                database.execute("INSERT INTO log_node VALUES (?, ?, ?)", [level, index, node])
            hashes = [sha256(b"\1" + hashes[i] + hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
            level += 1
        database.commit()


def test_a_rewritten_history_is_found_by_verify_and_by_those_who_kept_a_checkpoint(rewritten, make_collector, tmp_path):
    run_id = list(rewritten.receipts)[1]
    rewrite_history(rewritten, run_id)
    done = verify(rewritten)
    assert done.returncode == 5 and "log: checkpoint" in done.stdout and "and the log has 4" in done.stdout, done.stdout
    # The operator has the key, removes the checkpoints too, and goes on: the store is as it must be again.
    change(rewritten, ["DELETE FROM log_checkpoint"])
    assert verify(rewritten).returncode == 0
    again = make_collector(*FLAGS)
    send(again, 4)
    newest = checkpoint_of(again, 8)
    assert verified(newest)[0] == 8
    with pytest.raises(AssertionError):
        check_consistency(again, verified(rewritten.newest), verified(newest))
    done = Files(tmp_path / "files", again).verify(saved=rewritten.newest)
    assert done.returncode == 5 and "the log was rewritten" in done.stdout, done.stdout
    done = Files(tmp_path / "other", again).verify(receipts={run_id: rewritten.receipts[run_id]})
    assert done.returncode == 5 and f"PROBLEM {run_id}: its proof is none" in done.stdout, done.stdout
    assert "the collector gave no proof: No run is stored under this run_id." in done.stdout


class Files:
    """What curl would have saved of a collector's log, and `verify` with it."""

    def __init__(self, folder, collector):
        self.folder, self.collector = folder, collector
        folder.mkdir()
        self.saved = folder / "saved.json"
        self.newest = self.write("checkpoint.json", self.fetch("checkpoint"))
        self.size = json.loads(self.newest.read_bytes())["tree_size"]

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def fetch(self, name, **parameters):
        try:
            return urllib.request.urlopen(f"{self.collector.url}/v1/log/{name}?{urllib.parse.urlencode(parameters)}").read()
        except urllib.error.HTTPError as error:
            return error.read()  # as curl does without --fail

    def verify(self, saved=None, receipts={}, arguments=(), without=()):
        command = ["--checkpoint", self.newest, *arguments]
        if saved is not None:
            self.write("saved.json", saved)
        if self.saved.exists():
            size = json.loads(self.saved.read_bytes()).get("tree_size", 0)
            proof = self.write("consistency.json", self.fetch("consistency", **{"from": size, "to": self.size}))
            command += ["--saved", self.saved, *([] if "consistency" in without else ["--consistency", proof])]
        for run_id, receipt in receipts.items():
            proof = self.fetch("inclusion", run_id=run_id, size=self.size)
            command += ["--receipt", self.write(f"{run_id}.receipt.json", receipt)]
            command += [] if "inclusion" in without else ["--inclusion", self.write(f"{run_id}.inclusion.json", proof)]
        return collector_command("verify", *command)


def test_anybody_verifies_with_files_alone(make_collector, tmp_path):
    collector = make_collector(*FLAGS)
    receipts = send(collector, 3)
    checkpoint_of(collector, 3)
    files = Files(tmp_path / "files", collector)
    first = files.verify(receipts=receipts, arguments=["--saved", files.saved])
    assert first.returncode == 0, first.stdout + first.stderr
    lines = first.stdout.splitlines()
    assert lines[0].startswith("checkpoint: 3 leaves at 20") and "first use: " in lines[1]
    assert lines[2:] == [f"included: {run_id} is leaf {index}" for index, run_id in enumerate(receipts)] + ["verified"]
    assert files.saved.read_bytes() == files.newest.read_bytes()

    receipts |= send(collector, 4)
    checkpoint_of(collector, 7)
    later = Files(tmp_path / "later", collector)
    done = later.verify(saved=json.loads(files.saved.read_bytes()), receipts=receipts)
    assert done.returncode == 0 and "consistent: it begins with the 3 leaves of 20" in done.stdout, done.stdout + done.stderr
    assert later.saved.read_bytes() == later.newest.read_bytes()
    done = later.verify()
    assert done.returncode == 0 and "the 7 leaves of" in done.stdout, "the same again"
    done = Files(tmp_path / "none", collector).verify()
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "verified"


def test_no_false_proof_is_believed(make_collector, tmp_path):
    collector = make_collector(*FLAGS)
    receipts = send(collector, 3)
    old = checkpoint_of(collector, 3)
    receipts |= send(collector, 3)
    checkpoint_of(collector, 6)
    files = Files(tmp_path / "files", collector)
    run_id, other = list(receipts)[:2]

    def problem(says, code=5, **how):
        done = files.verify(**how)
        assert done.returncode == code and says in done.stdout + done.stderr, done.stdout + done.stderr
        if code == 5:
            assert done.stdout.splitlines()[-1] == "1 problems"
        else:
            one_line(done.stderr)

    problem("--consistency FILE is needed", 2, saved=old, without="consistency")
    files.saved.unlink()
    problem("--inclusion FILE is needed", 2, receipts={run_id: receipts[run_id]}, without="inclusion")
    problem("the receipt's signature does not verify", receipts={run_id: receipts[run_id].replace(b'"20', b'"21')})
    problem("does not lead from this receipt", receipts={run_id: receipts[run_id] + b" "})
    forged = dict(old, tree_size=2)
    problem("saved.json: the checkpoint's signature does not verify", 2, saved=forged)
    problem("saved.json: the answer is not a checkpoint", 2, saved={})
    files.saved.unlink()

    wrong = json.loads(files.fetch("inclusion", run_id=other, size=6)) | {"run_id": run_id}
    for proof, says in ((wrong, "does not lead"), (wrong | {"path": []}, "does not lead"), (wrong | {"path": ["x"]}, "its proof is none"),
                        (wrong | {"leaf_index": -1}, "its proof is none"), (wrong | {"leaf_index": 2**64 - 1}, "does not lead"),
                        (wrong | {"salt": ""}, "its proof is none"), (wrong | {"path": ["00" * 32] * 500}, "does not lead"), ([], "its proof is none")):
        done = collector_command("verify", "--checkpoint", files.newest, "--receipt", files.write("r.json", receipts[run_id]),
                                 "--inclusion", files.write("i.json", proof))
        assert done.returncode in (2, 5) and says in done.stdout + done.stderr, (proof, done.stdout + done.stderr)
    for content in (b"", b"{", b"\0" * 100, b"[" * 1000, b" " * 100_000):
        done = collector_command("verify", "--checkpoint", files.write("c.json", content))
        assert done.returncode in (2, 5), done
    tampered = json.loads(files.newest.read_bytes()) | {"made_at": "\x1b[2J"}
    done = collector_command("verify", "--checkpoint", files.write("c.json", tampered))
    assert done.returncode == 5 and "\x1b" not in done.stdout
    assert collector_command("verify", "--checkpoint", files.newest, "--data-dir", collector.data_dir).returncode == 2
    assert collector_command("verify", "--saved", files.newest, "--data-dir", collector.data_dir).returncode == 2
    assert collector_command("verify", "--checkpoint", tmp_path / "nowhere").returncode == 2


def test_a_changed_key_is_named(make_collector, tmp_path):
    collector = make_collector(*FLAGS)
    receipts = send(collector, 2)
    old = checkpoint_of(collector, 2)
    assert collector.stop() == 0
    (collector.data_dir / "key").unlink()
    again = make_collector(*FLAGS)
    receipts |= send(again, 1)
    checkpoint_of(again, 3)
    files = Files(tmp_path / "files", again)
    done = files.verify(saved=old)
    assert done.returncode == 5 and "signed by another key" in done.stdout and json.loads(files.saved.read_bytes()) == old
    done = files.verify(receipts=receipts, arguments=["--former-key", old["collector_key"]])
    assert done.returncode == 0 and done.stdout.count("included") == 3, done.stdout
