"""The public log: its proofs hold by an implementation of RFC 6962 of its own, and what was rewritten is found.

Nothing here is taken from the programs: the tree is the RFC's recursive definition, the signatures are those of ed25519.py."""

import base64
import contextlib
import hashlib
import json
import random
import shutil
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import ed25519
import pytest
from conftest import ROOT, one_line, wait_until
from test_store import server, sql, url  # noqa: F401 (fixtures)

sys.path.insert(0, str(ROOT / "tests/support/python"))
from exports import collector_command, verify  # noqa: E402
from signed_runs import Client, bodies  # noqa: E402

FLAGS = ["--accept-simulated", "--uploads-per-hour-of-key", "0", "--uploads-per-hour-of-network", "0"]


# RFC 6962, section 2.1, as it is written there.

def sha256(data):
    return hashlib.sha256(data).digest()


def power_below(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root_of(leaves):
    """Of leaves that are hashed already."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = power_below(len(leaves))
    return sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:]))


def path_of(m, leaves):
    if len(leaves) == 1:
        return []
    k = power_below(len(leaves))
    return path_of(m, leaves[:k]) + [root_of(leaves[k:])] if m < k else path_of(m - k, leaves[k:]) + [root_of(leaves[:k])]


def consistency_of(m, leaves, whole=True):
    if m == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = power_below(len(leaves))
    if m <= k:
        return consistency_of(m, leaves[:k], whole) + [root_of(leaves[k:])]
    return consistency_of(m - k, leaves[k:], False) + [root_of(leaves[:k])]


def root_from_path(leaf, m, n, path):
    """The root that a path leads to, by the definition turned round: no leaf but this one is known."""
    if n == 1:
        assert not path
        return leaf
    k = power_below(n)
    if m < k:
        return sha256(b"\1" + root_from_path(leaf, m, k, path[:-1]) + path[-1])
    return sha256(b"\1" + path[-1] + root_from_path(leaf, m - k, n - k, path[:-1]))


def roots_from_consistency(m, n, proof, old_root, whole=True):
    """The roots of the first m and of all n leaves, from a consistency proof and what the old root is said to be."""
    if m == n:
        return (old_root, old_root) if whole else (proof[0], proof[0])
    k = power_below(n)
    if m <= k:
        old, new = roots_from_consistency(m, k, proof[:-1], old_root, whole)
        return old, sha256(b"\1" + new + proof[-1])
    old, new = roots_from_consistency(m - k, n - k, proof[:-1], old_root, False)
    return sha256(b"\1" + proof[-1] + old), sha256(b"\1" + proof[-1] + new)


def get(collector, target):
    """Status and document."""
    try:
        with urllib.request.urlopen(collector.url + target) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        document = json.load(error)
        assert error.headers["Content-Type"] == "application/problem+json" and document["status"] == error.code
        return error.code, document


def log(collector, name, **parameters):
    status, document = get(collector, f"/v1/log/{name}?{urllib.parse.urlencode(parameters)}")
    assert status == 200, document
    return document


def verified(checkpoint):
    """The checkpoint's size and root, when it is signed."""
    signed = {name: value for name, value in checkpoint.items() if name != "signature"}
    assert set(signed) == {"collector_key", "kind", "made_at", "root_hash", "tree_size"}
    assert signed["kind"] == "gpuassay-checkpoint-v1"
    message = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
    assert ed25519.verifies(base64.b64decode(signed["collector_key"]), message, base64.b64decode(checkpoint["signature"]))
    return signed["tree_size"], bytes.fromhex(signed["root_hash"])


def checkpoint_of(collector, size):
    """The newest one, once it has so many leaves."""
    newest = {}

    def has_them():
        newest.update(log(collector, "checkpoint"))
        return newest["tree_size"] >= size

    assert wait_until(has_them, 20), newest
    return newest


def all_leaves(collector):
    leaves = []
    while page := log(collector, "leaves", **{"from": len(leaves), "limit": 7})["leaves"]:
        leaves += [bytes.fromhex(leaf) for leaf in page]
    return leaves


def send(collector, count, source=None):
    """run_id to the receipt's exact bytes."""
    client, receipts = Client(collector.url), {}
    for (run_id, body), _ in zip(source or bodies(), range(count)):
        request = urllib.request.Request(collector.url + "/v1/results", body, client.key.headers(body))
        with urllib.request.urlopen(request) as reply:
            receipts[run_id] = reply.read()
    collector.key = client.key
    return receipts


def stored_count(collector):
    count, further = 0, ""
    while further is not None:
        status, page = get(collector, f"/v1/results?simulated=true&quarantined=true&limit=500{further}")
        count += len(page["results"])
        further = page["next"] and f"&cursor={page['next']}"
    return count


def delete(collector, run_id):
    request = urllib.request.Request(f"{collector.url}/v1/results/{run_id}", method="DELETE",
                                     headers=collector.key.deletion_headers(run_id))
    assert urllib.request.urlopen(request).status == 200


def check_inclusion(collector, run_id, receipt, size, root):
    """The leaf's index, when the collector proves that the receipt is among `size` leaves under `root`."""
    proof = log(collector, "inclusion", run_id=run_id, size=size)
    leaf = sha256(b"\0" + bytes.fromhex(proof["salt"]) + receipt)
    assert len(bytes.fromhex(proof["salt"])) == 32 and leaf.hex() == proof["leaf_hash"] and proof["tree_size"] == size
    assert root_from_path(leaf, proof["leaf_index"], size, [bytes.fromhex(node) for node in proof["path"]]) == root
    return proof["leaf_index"]


def check_consistency(collector, old, new):
    """Of two (size, root)."""
    proof = [bytes.fromhex(node) for node in log(collector, "consistency", **{"from": old[0], "to": new[0]})["proof"]]
    if old[0] == 0 or old == new:
        assert proof == []
    else:
        assert roots_from_consistency(old[0], new[0], proof, old[1]) == (old[1], new[1])


def engine_flags(request, engine):
    return FLAGS + (["--database", request.getfixturevalue("url")] if engine == "postgresql" else [])


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_every_proof_holds_by_another_implementation(make_collector, request, engine):
    collector = make_collector(*engine_flags(request, engine))
    assert verified(log(collector, "checkpoint")) == (0, sha256(b""))
    seen, receipts = [(0, sha256(b""))], {}
    for count in (1, 1, 3, 6, 2):
        receipts |= send(collector, count)
        seen.append(verified(checkpoint_of(collector, len(receipts))))
        time.sleep(1.1)  # the next one is not made earlier
    assert [size for size, _ in seen] == [0, 1, 2, 5, 11, 13]
    leaves = all_leaves(collector)
    assert len(leaves) == 13 and [root_of(leaves[:size]) for size, _ in seen] == [root for _, root in seen]
    indices = [check_inclusion(collector, run_id, receipt, *seen[-1]) for run_id, receipt in receipts.items()]
    assert indices == list(range(13)), "in the order of storing"
    for size in range(1, 14):
        for run_id in list(receipts)[:size]:
            check_inclusion(collector, run_id, receipts[run_id], size, root_of(leaves[:size]))
            proof = log(collector, "inclusion", run_id=run_id, size=size)
            assert [bytes.fromhex(node) for node in proof["path"]] == path_of(proof["leaf_index"], leaves[:size])
        for old in range(size + 1):
            check_consistency(collector, (old, root_of(leaves[:old])), (size, root_of(leaves[:size])))
            if 0 < old < size:
                proof = log(collector, "consistency", **{"from": old, "to": size})["proof"]
                assert [bytes.fromhex(node) for node in proof] == consistency_of(old, leaves[:size])
    pages, after = [], 0
    while (page := log(collector, "checkpoints", after=after, limit=2))["checkpoints"]:
        pages += page["checkpoints"]
        after = page["next"]
    given = [verified(checkpoint) for checkpoint in pages]  # those that came in between too
    assert page["next"] == after and set(seen) <= set(given) and given == sorted(given)
    assert given == [(size, root_of(leaves[:size])) for size, _ in given]
    assert log(collector, "checkpoint") == pages[-1]
    metrics = urllib.request.urlopen(collector.url + "/metrics").read().decode()
    assert 'gpuassay_http_requests_total{route="/v1/log/inclusion",status="200"}' in metrics


def test_what_is_deleted_leaves_a_salted_hash_alone(make_collector):
    collector = make_collector(*FLAGS)
    receipts = send(collector, 5)
    size, root = verified(checkpoint_of(collector, 5))
    runs = list(receipts)
    salts = {run_id: log(collector, "inclusion", run_id=run_id, size=5)["salt"] for run_id in runs}
    delete(collector, runs[1])
    status, problem = get(collector, f"/v1/log/inclusion?run_id={runs[1]}&size=5")
    assert (status, problem["leaf_index"]) == (410, 1) and salts[runs[1]] not in json.dumps(problem)
    for run_id in runs[:1] + runs[2:]:
        check_inclusion(collector, run_id, receipts[run_id], size, root)
    more = send(collector, 2)
    newer = verified(checkpoint_of(collector, 7))
    check_consistency(collector, (size, root), newer)
    for run_id, receipt in more.items():
        check_inclusion(collector, run_id, receipt, *newer)
    assert collector.stop() == 0
    retracted = collector_command("retract", "--data-dir", collector.data_dir, runs[3])
    assert retracted.returncode == 0

    leaf = {run_id: sha256(b"\0" + bytes.fromhex(salts[run_id]) + receipts[run_id]) for run_id in runs}
    with contextlib.closing(sqlite3.connect(collector.data_dir / "collector.db")) as database:
        tables = [name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    for gone, index in ((runs[1], 1), (runs[3], 3)):
        left = [(table, [value for value in row if value not in (None, "", 0)]) for table in tables for row in rows[table] if gone in row]
        assert sorted(table for table, _ in left) == ["log_entry", "run"]
        # The run_id and when it was deleted; the leaf's hash and place. (1: `simulated`, self_reported: `trust`, for every run.)
        assert [value for table, row in left if table == "log_entry" for value in row] == [gone, leaf[gone], index]
        kept = [value for table, row in left if table == "run" for value in row if value not in (1, "self_reported")]
        assert kept[0] == gone and len(kept) == 2 and isinstance(kept[1], int)
    with contextlib.closing(sqlite3.connect(collector.data_dir / "collector.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    bytes_left = (collector.data_dir / "collector.db").read_bytes()
    for run_id in runs:
        is_there = bytes.fromhex(salts[run_id]) in bytes_left
        assert is_there == (run_id not in (runs[1], runs[3])), "the salt, byte for byte"
    done = verify(collector)
    assert done.returncode == 0 and "public log: 7 leaves" in done.stdout, done.stdout


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_kill_loses_no_leaf_and_rewrites_none(make_collector, request, engine):
    flags = engine_flags(request, engine)
    seen, acknowledged, source, lock = [(0, sha256(b""))], {}, bodies(), threading.Lock()
    for _ in range(5):
        collector = make_collector(*flags)

        def keep_sending():
            with contextlib.suppress(OSError, urllib.error.URLError):
                while True:
                    with lock:
                        run = next(source)
                    receipts = send(collector, 1, iter([run]))
                    with lock:
                        acknowledged.update(receipts)

        senders = [threading.Thread(target=keep_sending) for _ in range(3)]
        for sender in senders:
            sender.start()
        begun = time.monotonic()
        length = random.uniform(0.5, 1.5)
        while time.monotonic() < begun + length:
            seen.append(verified(log(collector, "checkpoint")))
            time.sleep(0.05)
        collector.process.kill()
        collector.process.wait()
        collector.process.stderr.close()
        for sender in senders:
            sender.join()
    collector = make_collector(*flags)
    count = stored_count(collector)
    assert count >= len(acknowledged) > 20, "this load is none"
    newest = verified(checkpoint_of(collector, count))
    leaves = all_leaves(collector)
    assert root_of(leaves) == newest[1] and len(leaves) == newest[0]
    for old in sorted(set(seen)):
        assert root_of(leaves[:old[0]]) == old[1], "a checkpoint that was given holds for ever"
        check_consistency(collector, old, newest)
    indices = [check_inclusion(collector, run_id, receipt, *newest) for run_id, receipt in random.sample(sorted(acknowledged.items()), 20)]
    assert len(set(indices)) == 20
    everything = {log(collector, "inclusion", run_id=run_id, size=newest[0])["leaf_index"] for run_id in acknowledged}
    assert len(everything) == len(acknowledged), "every acknowledged run has one leaf"
    assert collector.stop() == 0
    assert verify(collector, *flags[len(FLAGS):]).returncode == 0


def test_two_collectors_of_one_database_share_one_log(make_collector, request, server):  # noqa: F811
    flags = engine_flags(request, "postgresql")
    both = [make_collector(*flags, name="a"), make_collector(*flags, name="b")]
    shutil.copy(both[0].data_dir / "key", both[1].data_dir / "key")
    assert both[1].stop() == 0
    both[1] = make_collector(*flags, name="b")
    with lock_free_threads(both) as receipts:
        pass
    newest = verified(checkpoint_of(both[0], len(receipts)))
    assert newest[0] == len(receipts) == 60
    assert verified(checkpoint_of(both[1], 60)) == newest
    indices = [check_inclusion(random.choice(both), run_id, receipt, *newest) for run_id, receipt in receipts.items()]
    assert sorted(indices) == list(range(60)), "no index is given twice"
    assert sql(server, "SELECT COUNT(*) FROM log_node WHERE level = 0") == "60\n"


@contextlib.contextmanager
def lock_free_threads(collectors):
    """Thirty runs to each of them at once."""
    results = [None] * len(collectors)

    def fill(place):
        results[place] = send(collectors[place], 30)

    threads = [threading.Thread(target=fill, args=[place]) for place in range(len(collectors))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield {run_id: receipt for part in results for run_id, receipt in part.items()}


def test_runs_from_before_the_log_get_their_leaves(make_collector):
    collector = make_collector(*FLAGS)
    receipts = send(collector, 5)
    assert collector.stop() == 0
    with contextlib.closing(sqlite3.connect(collector.data_dir / "collector.db")) as database:
        for table in ("log_entry", "log_node", "log_checkpoint"):
            database.execute(f"DROP TABLE {table}")
        database.execute("DELETE FROM schema_migration WHERE component = 'run' AND version = 6")
        database.commit()
    again = make_collector(*FLAGS)
    newest = verified(checkpoint_of(again, 5))
    assert [check_inclusion(again, run_id, receipt, *newest) for run_id, receipt in receipts.items()] == list(range(5))
    receipts |= send(again, 1)
    newest = verified(checkpoint_of(again, 6))
    assert check_inclusion(again, list(receipts)[-1], list(receipts.values())[-1], *newest) == 5


@pytest.mark.parametrize("target, status, says", [
    ("checkpoint?x=1", 400, "not known"), ("checkpoints?after=-1", 400, "after"), ("checkpoints?limit=501", 400, "limit"),
    ("checkpoints?after=x", 400, "after"), ("inclusion", 400, "run_id is needed"), ("inclusion?run_id=x", 400, "size is needed"),
    ("inclusion?run_id=x&size=1", 404, "No run"), ("inclusion?run_id=RUN&size=4", 404, "3 leaves and not yet 4"),
    ("inclusion?run_id=RUN&size=0", 404, "not among so many"), ("inclusion?run_id=RUN&size=1e3", 400, "size"),
    ("inclusion?run_id=RUN&size=99999999999999999999", 400, "size"), ("inclusion?run_id=RUN&run_id=RUN&size=1", 400, "twice"),
    ("consistency?from=1", 400, "to is needed"), ("consistency?from=2&to=1", 404, "only grows"),
    ("consistency?from=1&to=4", 404, "not yet 4"), ("consistency?from=-1&to=1", 400, "from"),
    ("leaves?from=-1", 400, "from"), ("leaves?limit=0", 400, "limit"), ("leaves?limit=1001", 400, "limit"),
    ("", 404, "nothing"), ("nothing", 404, "nothing"),
])
def test_what_is_asked_wrongly_is_refused(three_runs, target, status, says):
    answer, problem = get(three_runs, "/v1/log/" + target.replace("RUN", three_runs.runs[0]))
    assert answer == status and says in problem["detail"], problem


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory):
    from conftest import Collector

    collector = Collector(tmp_path_factory.mktemp("log") / "collector", *FLAGS)
    collector.runs = list(send(collector, 3))
    checkpoint_of(collector, 3)
    yield collector
    collector.stop()


def test_the_log_is_only_read(three_runs):
    assert get(three_runs, "/v1/log/leaves?from=3")[1] == {"from": 3, "leaves": []}
    assert get(three_runs, "/v1/log/leaves?from=9007199254740992")[1]["leaves"] == []
    for method in ("POST", "DELETE", "PUT"):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(urllib.request.Request(three_runs.url + "/v1/log/checkpoint", b"{}", method=method))
        assert refusal.value.code == 405 and refusal.value.headers["Allow"] == "GET, HEAD"


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
