"""The public log of a real collector: its proofs hold by another implementation of RFC 6962, through deletions, kills and restarts,
on both databases."""

import contextlib
import json
import random
import shutil
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT, Collector
from public_log import (FLAGS, all_leaves, check_consistency, check_inclusion, checkpoint_of, delete, get, log, send, stored_count,
                        verified)
from rfc6962 import consistency_of, path_of, root_of, sha256
from test_store import server, sql, url  # noqa: F401 (fixtures)

sys.path.insert(0, str(ROOT / "tests/support/python"))
from exports import UNDO_WHAT_CAME_WITH_THE_LOG, collector_command, verify  # noqa: E402
from signed_runs import bodies  # noqa: E402


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
        for statement in UNDO_WHAT_CAME_WITH_THE_LOG:
            database.execute(statement)
        database.execute("DELETE FROM schema_migration WHERE component = 'run' AND version >= 6")
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
