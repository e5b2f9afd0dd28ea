"""What docs/OPERATIONS.md tells an operator: backup under load and restore on both stores, retention, old runs."""

import json
import shutil
import sqlite3
import subprocess
import sys
import urllib.request

import pytest
from conftest import ROOT, wait_until
from test_collector_kill import Sender
from test_store import server, url  # noqa: F401 (fixtures)

sys.path.insert(0, str(ROOT / "tests/support/python"))
from signed_runs import Client, bodies  # noqa: E402

NO_LIMITS = ["--uploads-per-hour-of-key", "0", "--uploads-per-hour-of-network", "0"]


class SqliteStore:
    """Commands as the page shows them."""

    def __init__(self, tmp_path):
        self.flags = []
        self.copy = tmp_path / "collector.db"

    def back_up(self, data_dir):
        command = ["sqlite3", str(data_dir / "collector.db"), ".timeout 60000", f"VACUUM INTO '{self.copy}'"]
        subprocess.run(command, check=True, timeout=120)

    def restore(self, data_dir):
        shutil.copy(self.copy, data_dir / "collector.db")


class PostgresStore:
    def __init__(self, server, url):
        self.server, self.flags, self.url = server, ["--database", url], url
        self.copy = server.folder / "dataset.dump"  # where the server's own user may write

    def command(self, program, *arguments):
        return self.server.command(self.server.bin / program, "-h", self.server.folder, "-U", "test", *arguments)

    def back_up(self, data_dir):
        self.command("pg_dump", "--format=custom", f"--file={self.copy}", "runs")

    def restore(self, data_dir):
        self.command("dropdb", "runs")
        self.command("createdb", "runs")
        self.command("pg_restore", "--exit-on-error", "--dbname=runs", self.copy)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    if request.param == "sqlite":
        return SqliteStore(tmp_path)
    return PostgresStore(request.getfixturevalue("server"), request.getfixturevalue("url"))


def receipt_of(collector, body, client):
    request = urllib.request.Request(f"{collector.url}/v1/results", body, client.key.headers(body))
    return urllib.request.urlopen(request, timeout=30).read()


def test_a_backup_taken_under_load_has_all_that_was_acknowledged_before(make_collector, tmp_path, store):
    collector = make_collector("--accept-simulated", *NO_LIMITS, *store.flags)
    sender = Sender(bodies())
    sender.url = collector.url
    client, (first_id, first_body) = Client(collector.url), next(bodies())
    first_receipt = receipt_of(collector, first_body, client)
    sender.start()
    assert wait_until(lambda: len(sender.acknowledged) >= 20, 60)
    before = [first_id, *sender.acknowledged]
    store.back_up(collector.data_dir)
    shutil.copy(collector.data_dir / "key", tmp_path / "key")
    after_backup = len(sender.acknowledged)
    assert wait_until(lambda: len(sender.acknowledged) > after_backup, 60), "uploads go on"
    sender.stopping.set()
    sender.join()
    assert not sender.unexpected and collector.stop() == 0

    shutil.rmtree(collector.data_dir)  # the machine is lost
    restored = tmp_path / "restored"
    restored.mkdir(mode=0o700)
    shutil.copy(tmp_path / "key", restored / "key")
    store.restore(restored)
    again = make_collector("--accept-simulated", *NO_LIMITS, *store.flags, name="restored")
    for run_id in before:
        assert json.loads(urllib.request.urlopen(f"{again.url}/v1/results/{run_id}", timeout=30).read())["run_id"] == run_id
    assert receipt_of(again, first_body, client) == first_receipt, "the receipts are those of the same collector"
    late = Client(again.url)
    assert late.post(next(bodies())[1]) == 201, "it takes new runs"
    late.close()


def test_what_counts_nowhere_goes_after_its_time(make_collector):
    run_id, body = next(bodies())
    collector = make_collector("--accept-simulated", "--keep-simulated-days", "30")
    client = Client(collector.url)
    assert client.post(body) == 201
    client.close()
    assert collector.stop() == 0
    database = sqlite3.connect(collector.data_dir / "collector.db")
    database.execute("UPDATE run SET received_at_ms = received_at_ms - 31 * 86400000")
    database.commit()
    database.close()
    again = make_collector("--accept-simulated", "--keep-simulated-days", "30")
    assert "1 runs that count nowhere" in again.process.stderr.readline()
    client = Client(again.url)
    assert client.post(body) == 410, "it does not come again"
    client.close()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{again.url}/v1/results/{run_id}", timeout=30)
