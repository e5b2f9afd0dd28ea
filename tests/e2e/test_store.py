"""The collector on PostgreSQL, and on a damaged SQLite file, as an operator meets them."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import BIN, ROOT, one_line
from test_thread import EXAMPLE, SEED, acknowledged_then_killed, get, put_example

sys.path.insert(0, str(ROOT / "tests/conformance"))
PASSWORD = "Do-not-show-this"


@pytest.fixture(scope="module")
def server():
    from engines import Postgres

    if not list(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    return Postgres()


@pytest.fixture
def url(server):
    server.command(server.bin / "dropdb", "-h", server.folder, "-U", "test", "--if-exists", "runs")
    server.command(server.bin / "createdb", "-h", server.folder, "-U", "test", "runs")
    return f"postgresql://test:{PASSWORD}@/runs?host={server.folder}"


def sql(server, text):
    return server.command(server.bin / "psql", "-X", "-q", "-t", "-A", "-h", server.folder, "-U", "test", "runs", text=text)


def collect(*arguments, **variables):
    return subprocess.run([str(BIN / "gpuassay-collector"), *map(str, arguments)], capture_output=True, text=True,
                          env=os.environ | variables, timeout=60)


def test_the_whole_thread_on_postgresql(agent, make_collector, server, url):
    collector = make_collector("--accept-simulated", "--database", url)
    for file in ("cmdline", "environ"):
        assert PASSWORD not in pathlib.Path(f"/proc/{collector.process.pid}/{file}").read_text()
    example, receipt, first = acknowledged_then_killed(agent, collector)
    assert PASSWORD not in collector.process.stderr.read()

    again = make_collector("--accept-simulated", "--database", url)
    assert json.loads(get(f"{again.url}/v1/results/{example['run_id']}")) == example
    receipt.unlink()
    assert agent("upload", "--collector", again.url).returncode == 0
    assert receipt.read_bytes() == first
    assert sql(server, "SELECT COUNT(*) FROM run") == "1\n"

    imported = collect("import-prices", "--format", "seed", SEED, "--data-dir", again.data_dir, GPUASSAY_DATABASE=url)
    assert imported.returncode == 0 and "61 new" in imported.stdout, imported.stderr
    join = (ROOT / "core/sql/join.sql").read_text()
    assert sql(server, join) == "", "simulated results are in no view of the dataset"
    joined = sql(server, "UPDATE run SET simulated = 0;" + join).split("|")
    assert joined[:2] == [example["run_id"], "provider_gpu"] and joined[11] == "1720000"
    assert not list(again.data_dir.glob("*.db*")), "no SQLite file beside it"


@pytest.mark.parametrize("wrong", [
    f"postgresql://test:{PASSWORD}@127.0.0.1:1/runs",
    f"postgresql://test:{PASSWORD}@127.0.0.1:port/runs",
    f"mysql://test:{PASSWORD}@127.0.0.1/runs",
    f"host=127.0.0.1 password={PASSWORD}",
])
def test_a_wrong_url_is_one_line_without_the_password(tmp_path, wrong):
    refused = collect("serve", "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data", "--database", wrong)
    assert refused.returncode in (2, 6)
    line = one_line(refused.stderr)
    assert PASSWORD not in line and "--database" in line


def test_a_damaged_file_is_refused_with_what_to_do(make_collector):
    collector = make_collector()
    assert collector.stop() == 0
    file = collector.data_dir / "collector.db"
    content = bytearray(file.read_bytes())
    content[8192:8200] = b"\xff" * 8
    file.write_bytes(content)
    refused = collect("serve", "--listen", "127.0.0.1:0", "--data-dir", collector.data_dir)
    assert refused.returncode == 6 and "backup" in one_line(refused.stderr)
    assert file.read_bytes() == content
