"""The exported dataset: what is in it, what never is, and that a failed export changes nothing."""

import datetime
import hashlib
import json
import pathlib
import sqlite3
import subprocess
import sys
import urllib.request

import pytest
from conftest import BIN, ROOT, one_line, wait_until
from test_store import server, url  # noqa: F401 (fixtures)

sys.path.insert(0, str(ROOT / "tests/support/python"))
from exports import DUCKDB, PARTITIONED, SINGLE, Export, collector_command, export, files_in  # noqa: E402
from made_runs import Machine, example, placed, slower  # noqa: E402
from signed_runs import Key  # noqa: E402

SEED = ROOT / "core/data/seed_prices.csv"
NO_LIMITS = ("--uploads-per-hour-of-key", "0", "--uploads-per-hour-of-network", "0")


@pytest.fixture
def filled(make_collector):
    """A stopped collector with six runs by two machines in two months, on two models, and what never leaves it."""
    collector = make_collector("--accept-simulated", *NO_LIMITS)
    v100, a100 = example("v100"), example("a100")
    first, second = Machine(collector.url), Machine(collector.url)
    collector.sent = [
        first.send(placed(v100, "2026-10-03", provider="aws", instance_type="p3.2xlarge", region="eu-west-1",
                          instance_id_hash="a" * 64)),
        first.send(placed(slower(v100, 1.1), "2026-11-04")),
        first.send(placed(v100, "2026-11-04")),
        second.send(placed(a100, "2026-10-05")),
        second.send(placed(slower(a100, 1.2), "2026-11-06")),
        second.send(placed(v100, "2026-11-07")),
    ]
    first.send(placed(v100, "2026-11-08") | {"simulated": True})
    second.send(placed(slower(v100, 0.05), "2026-11-08"))  # faster than the card can be
    gone = second.send(placed(v100, "2026-11-09"))
    assert collector.stop() == 0
    assert collector_command("retract", "--data-dir", collector.data_dir, gone).returncode == 0
    collector.gone = gone
    collect("import-prices", "--format", "seed", SEED, "--data-dir", collector.data_dir)
    return collector


def collect(*arguments):
    subprocess.run([str(BIN / "gpuassay-collector"), *map(str, arguments)], check=True, capture_output=True, timeout=60)


def columns_of_store(collector, columns):
    with sqlite3.connect(collector.data_dir / "collector.db") as database:
        return database.execute(f"SELECT {columns} FROM run WHERE simulated = 0 AND quarantine_reason IS NULL "
                                "AND retracted_at_ms IS NULL").fetchall()


def test_only_runs_that_count_are_exported_with_the_collectors_figures(filled, tmp_path):
    made = export(tmp_path / "export", filled.data_dir)
    assert [made.count(table) for table in ("runs", "headline", "results", "devices")] == [6, 6, 6, 6]
    assert made.count("measurements") == 4 * 73 + 2 * len(example("a100")["measurements"])
    stored = columns_of_store(filled, "gpu_model, score, provider")
    assert sorted(made.database.execute("SELECT gpu_model, score, provider FROM runs").fetchall()) == sorted(stored)
    assert made.values("SELECT DISTINCT month FROM runs ORDER BY 1") == ["2026-10", "2026-11"]
    assert made.values("SELECT day FROM runs ORDER BY 1")[0] == datetime.date(2026, 10, 3)
    one = made.rows("SELECT * FROM measurements WHERE day = '2026-11-06' AND id LIKE 'gemm/%' LIMIT 1")[0]
    source = next(m for m in slower(example("a100"), 1.2)["measurements"] if m["id"] == one["id"])
    assert one["samples_ns"] == source["samples_ns"] and one["median_ns"] == source["median_ns"]
    assert one["metric_value"] == pytest.approx(source["metric"]["value"], rel=1e-5)
    assert one["params_m"] == source["params"]["m"] and one["verification_passed"] is True
    for table in PARTITIONED:
        for month in ("2026-10", "2026-11"):
            models = [row[0] or "" for row in made.database.execute(
                f"SELECT gpu_model FROM read_parquet('{tmp_path}/export/{table}/month={month}/*.parquet')").fetchall()]
            assert models == sorted(models)


def test_names_hold_for_a_month_and_tell_nothing(filled, tmp_path):
    made = export(tmp_path / "export", filled.data_dir)
    by_month = made.rows("SELECT month, contributor_key, count(*) AS runs FROM runs GROUP BY ALL ORDER BY month, runs")
    assert [(row["month"], row["runs"]) for row in by_month] == [("2026-10", 1), ("2026-10", 1), ("2026-11", 2), ("2026-11", 2)]
    assert len({row["contributor_key"] for row in by_month}) == 4, "nobody is followed from one month to the next"
    host = made.rows("SELECT host_key, contributor_key FROM runs WHERE provider = 'aws'")[0]
    assert host["host_key"] != host["contributor_key"]
    text = made.text()
    stored = columns_of_store(filled, "run_id, agent_key, body_sha256, started_at_ms, received_at_ms")
    for secret in [str(value) for row in stored for value in row] + ["a" * 64, filled.gone, "13:14:15", "15.161"]:
        assert secret not in text, "an identifier or an instant left the collector"
    with sqlite3.connect(filled.data_dir / "collector.db") as database:
        kept = database.execute("SELECT secret FROM surrogate_secret").fetchone()[0]
    assert kept.split()[-1] not in text


def test_the_same_store_gives_the_same_bytes(filled, tmp_path):
    first, second = (export(tmp_path / name, filled.data_dir) for name in ("first", "second"))
    tables = [{name: content for name, content in files_in(made.folder).items() if name.endswith((".parquet", ".sql"))}
              for made in (first, second)]
    assert tables[0] == tables[1] and len(tables[0]) == 4 * 2 + 4 + 2


def test_a_retracted_run_is_deleted_everywhere(filled, tmp_path):
    before = export(tmp_path / "export", filled.data_dir)
    known = set(before.values("SELECT run_key FROM runs"))
    assert before.count("deletions") == 1 and not known & set(before.values("SELECT run_key FROM deletions"))
    collect("retract", "--data-dir", filled.data_dir, filled.sent[0])
    after = export(tmp_path / "export", filled.data_dir)
    gone = known - set(after.values("SELECT run_key FROM runs"))
    assert len(gone) == 1 and gone <= set(after.values("SELECT run_key FROM deletions"))
    for table in PARTITIONED:
        assert not gone & set(after.values(f"SELECT DISTINCT run_key FROM {table}"))
    assert not gone & set(after.values("SELECT result_id FROM results"))
    assert after.values("SELECT DISTINCT deleted_on FROM deletions")[0] == datetime.datetime.now(datetime.timezone.utc).date()


def test_prices_join_on_the_export_as_it_lies_there(filled, tmp_path):
    made = export(tmp_path / "export", filled.data_dir)
    said = subprocess.run([DUCKDB, "-init", "/dev/null", "-json", "-c", ".read views.sql", "-c", ".read join.sql"],
                          cwd=made.folder, capture_output=True, text=True, check=True).stdout
    joined = {row["result_id"]: row for row in json.loads(said)}
    for row in made.rows("SELECT * FROM headline"):
        assert row["price_match_level"] == joined[row["run_key"]]["match_level"]
        assert row["score_per_usd_hour"] == pytest.approx(joined[row["run_key"]]["score_per_usd_hour"])
    assert "provider_gpu" in {row["match_level"] for row in joined.values()}
    script = subprocess.run([sys.executable, ROOT / "scripts/join_prices", made.folder, tmp_path / "joined.parquet"],
                            capture_output=True, text=True)
    assert script.returncode == 0, script.stderr
    assert made.values(f"SELECT count(*) FROM '{tmp_path}/joined.parquet'") == [6]
    prices = made.rows("SELECT * FROM prices")
    assert len(prices) == 61 and all(row["source"] for row in prices)
    assert all((row["license"] is None) != (row["license_unknown_reason"] is None) for row in prices)


def test_the_documents_describe_what_lies_beside_them(filled, tmp_path):
    import mlcroissant

    made = export(tmp_path / "export", filled.data_dir)
    listed = {file["name"]: file for file in made.manifest()["files"]}
    found = files_in(made.folder)
    assert set(found) == set(listed) | {"manifest.json"}
    for name, file in listed.items():
        assert file["sha256"] == hashlib.sha256(found[name]).hexdigest() and file["bytes"] == len(found[name])
    assert sum(listed[name]["rows"] for name in listed if name.startswith("measurements/")) == made.count("measurements")
    dataset = mlcroissant.Dataset(jsonld=made.folder / "croissant.json")
    assert not dataset.metadata.issues.errors and not dataset.metadata.issues.warnings
    assert len(list(dataset.records("runs"))) == 6 and len(list(dataset.records("prices"))) == 61
    assert next(iter(dataset.records("measurements")))["measurements/samples_ns"]
    assert (made.folder / "DATA_DICTIONARY.md").read_text() == (ROOT / "docs/DATA_DICTIONARY.md").read_text()
    card = (made.folder / "README.md").read_text()
    assert "@" not in card and "| `measurements` | %d |" % made.count("measurements") in card
    assert "CC BY 4.0" in card and "creativecommons.org/licenses/by/4.0" in (made.folder / "LICENSE.md").read_text()
    citation = (made.folder / "CITATION.cff").read_text()
    assert "cff-version: 1.2.0" in citation and "@" not in citation


def test_every_column_is_in_the_dictionary(filled, tmp_path):
    made = export(tmp_path / "export", filled.data_dir)
    sections = (made.folder / "DATA_DICTIONARY.md").read_text().split("\n## ")
    for section in sections[1:-1]:
        table, *lines = section.splitlines()
        described = [line.split("`")[1] for line in lines if line.startswith("| `")]
        columns = made.values(f"SELECT column_name FROM (DESCRIBE FROM {table})")
        assert described == [column for column in columns if column != "month"]
        assert all(len(line.split(" | ")[3].strip(" |")) > 5 for line in lines if line.startswith("| `")), table


def test_rare_machines_can_be_suppressed(make_collector, tmp_path):
    collector = make_collector(*NO_LIMITS)
    common = placed(example("v100"), provider="aws", instance_type="p3.2xlarge", region="eu-west-1", zone="eu-west-1a")
    for _ in range(5):
        Machine(collector.url).send(common)
    lonely = Machine(collector.url)
    for _ in range(6):  # runs of one machine make no crowd
        lonely.send(placed(common, region="eu-north-1"))
    assert collector.stop() == 0
    assert export(tmp_path / "all", collector.data_dir).values("SELECT DISTINCT is_suppressed FROM runs") == [False]
    made = export(tmp_path / "export", collector.data_dir, "--suppress-below", "5")
    runs = made.rows("SELECT provider, instance_type, region, zone, cpu_model, gpu_model, is_suppressed, count(*) AS n "
                     "FROM runs GROUP BY ALL ORDER BY n")
    assert [list(row.values()) for row in runs] == [
        ["aws", "p3.2xlarge", "eu-west-1", "eu-west-1a", common["host"]["cpu_model"], "Tesla V100", False, 5],
        [None, None, None, None, None, "Tesla V100", True, 6]]
    assert "eu-north-1" not in made.text(), "nor does any other table tell it"
    assert "fewer than 5 machines" in (made.folder / "README.md").read_text()


def test_a_machine_has_one_name_through_all_its_keys(make_collector, tmp_path):
    collector = make_collector(*NO_LIMITS)
    machine, other = Machine(collector.url), Machine(collector.url)
    day = placed(example("v100"), "2026-11-25")
    machine.send(day)
    new_key = Key()
    request = urllib.request.Request(f"{collector.url}/v1/keys/replace", b"", machine.key.replacement_headers(new_key))
    assert urllib.request.urlopen(request, timeout=30).status == 200
    machine.key = new_key
    machine.send(day)
    other.send(day)
    assert collector.stop() == 0
    made = export(tmp_path / "export", collector.data_dir)
    assert sorted(made.values("SELECT count(*) FROM runs GROUP BY contributor_key")) == [1, 2]


HOSTILE = ["'; DROP TABLE run; --", '"quoted", and \\ all', "=HYPERLINK(\"http://x\")", "<script>alert(1)</script>", "two\nlines\r\n\ttab",
           "\u202eright to left\u2066", "\ufeffmark", "GPU\u00b2 \u5f35 \U0001f5a5", "x" * 250, "NULL", "{'a': 1}", "\x1b[31mred",
           "$$; SELECT 1; $$"]


def test_hostile_texts_are_texts(make_collector, tmp_path):
    """The same in every field that takes any text."""
    collector = make_collector(*NO_LIMITS)
    machine = Machine(collector.url)
    for text in HOSTILE:
        document = placed(example("v100"), instance_type=text, region=text, zone=text, underlying=text)
        document["host"] |= dict.fromkeys(("cpu_model", "os", "kernel", "virtualization", "container"), text)
        document["devices"][0] |= {"driver_version": text, "vbios": text, "uuid_hash": text}
        document["libraries"][0] |= {"version": text, "chosen_for": text, "rejected_reason": text}
        document["agent"]["version"] = text
        document["measurements"][0]["algorithm"] = text
        machine.send(document)
    assert collector.stop() == 0
    made = export(tmp_path / "export", collector.data_dir)
    expected = sorted("".join(c for c in text if c.isprintable() and c not in "\u202e\u2066\ufeff") for text in HOSTILE)
    for column in ("instance_type", "region", "zone", "underlying", "cpu_model", "os", "kernel", "agent_version"):
        assert sorted(made.values(f"SELECT {column} FROM runs")) == expected
    assert sorted(made.values("SELECT libraries[1].version FROM runs")) == expected
    assert sorted(made.values("SELECT vbios FROM devices")) == expected
    assert set(expected) <= set(made.values("SELECT algorithm FROM measurements"))
    assert made.count("measurements") == 73 * len(HOSTILE)


def test_an_empty_store_gives_empty_tables(make_collector, tmp_path):
    collector = make_collector()
    assert collector.stop() == 0
    made = export(tmp_path / "export", collector.data_dir)
    assert [made.count(table) for table in PARTITIONED + SINGLE] == [0, 0, 0, 0, 0, 0, 1, 0]


def test_both_databases_give_the_same_rows(make_collector, tmp_path, url):  # noqa: F811
    made = []
    for name, flags in [("sqlite", []), ("postgresql", ["--database", url])]:
        collector = make_collector(*NO_LIMITS, *flags, name=name)
        machine = Machine(collector.url)
        for day in ("2026-10-03", "2026-11-04"):
            machine.send(placed(example("v100"), day, region="eu-\u00fc"))
            gone = machine.send(placed(example("a100"), day))
        assert collector.stop() == 0
        store = ["--data-dir", collector.data_dir, *flags]
        collect("import-prices", "--format", "seed", SEED, *store)
        collect("retract", gone, *store)
        verified = collector_command("verify", *store)
        assert verified.returncode == 0 and "3 runs checked, 1 retracted" in verified.stdout, verified.stdout
        made.append(export(tmp_path / f"{name}.export", collector.data_dir, *flags, "--suppress-below", "2"))
        assert made[-1].count("deletions") == 1
    keys = "EXCLUDE (run_key, contributor_key, host_key)"
    for query in [f"SELECT * {keys} FROM headline", f"SELECT * {keys} FROM measurements", "FROM prices", "FROM options",
                  "SELECT * EXCLUDE result_id FROM results"]:
        assert made[0].database.execute(query).fetchall() == made[1].database.execute(query).fetchall()


def test_runs_that_come_meanwhile_are_in_all_tables_or_none(make_collector, tmp_path):
    collector = make_collector(*NO_LIMITS)
    machine, document = Machine(collector.url), example("a100")
    for _ in range(20):
        machine.send(document)
    exporting = subprocess.Popen([BIN / "gpuassay-collector", "export", "--parquet", tmp_path / "export", "--data-dir",
                                  collector.data_dir, "--duckdb", DUCKDB])
    sent = 20
    while exporting.poll() is None:
        machine.send(document)
        sent += 1
    assert exporting.returncode == 0
    made = Export(tmp_path / "export")
    keys = set(made.values("SELECT run_key FROM runs"))
    assert 20 <= len(keys) <= sent
    for table in ("devices", "measurements", "headline"):
        assert set(made.values(f"SELECT run_key FROM {table}")) == keys
    assert made.count("measurements") == len(keys) * len(document["measurements"])
    assert set(made.values("SELECT result_id FROM results")) == keys


# --- what goes wrong ---------------------------------------------------------------------------------------------------


def refused(*arguments, code, says, **options):
    done = collector_command("export", *arguments, **options)
    assert done.returncode == code, done.stderr
    line = one_line(done.stderr)
    assert says in line, line
    return line


def fake_duckdb(folder, script):
    program = folder / "fake-duckdb"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_without_duckdb_it_says_what_to_install(filled, tmp_path):
    for program, code in [("no-such-duckdb", 6), ("/bin/false", 6), ("/", 6)]:
        line = refused("--parquet", tmp_path / "export", "--data-dir", filled.data_dir, "--duckdb", program, code=code,
                       says="pip install duckdb-cli")
        assert program in line
    old = fake_duckdb(tmp_path, """echo '[{"version()":"v0.9.2"}]'""")
    refused("--parquet", tmp_path / "export", "--data-dir", filled.data_dir, "--duckdb", old, code=6, says="v0.9.2")
    assert not list(tmp_path.glob("export*"))


@pytest.mark.parametrize("script, says", [
    ("cat >/dev/null; echo 'IO Error: No space left on device' >&2; exit 1", "No space left on device"),
    ("head -c 1000 >/dev/null; exit 3", "status 3"),
    ("kill -9 $$", "signal 9"),
    (f'head -n -1 | {DUCKDB} "$@"', "rows of"),
])
def test_a_failing_duckdb_leaves_the_former_export(filled, tmp_path, script, says):
    export(tmp_path / "export", filled.data_dir)
    before = files_in(tmp_path / "export")
    program = fake_duckdb(tmp_path, f'case "$*" in *"SELECT version()"*|*parquet_file*) exec {DUCKDB} "$@";; esac\n{script}')
    done = collector_command("export", "--parquet", tmp_path / "export", "--data-dir", filled.data_dir, "--duckdb", program)
    assert done.returncode in (6, 70) and says in one_line(done.stderr) and "untouched" in done.stderr
    assert files_in(tmp_path / "export") == before and not list(tmp_path.glob("export.*"))


def test_a_killed_export_leaves_the_former_one_and_no_process(filled, tmp_path):
    export(tmp_path / "export", filled.data_dir)
    before = files_in(tmp_path / "export")
    program = fake_duckdb(tmp_path, f'case "$*" in *COPY*) echo $$ >>{tmp_path}/pids; exec sleep 600;; esac\nexec {DUCKDB} "$@"')
    exporting = subprocess.Popen([BIN / "gpuassay-collector", "export", "--parquet", tmp_path / "export", "--data-dir",
                                  filled.data_dir, "--duckdb", program])
    assert wait_until(lambda: (tmp_path / "pids").exists() and len((tmp_path / "pids").read_text().split()) >= 4)
    refused("--parquet", tmp_path / "export", "--data-dir", filled.data_dir, code=6, says="another program")
    exporting.kill()
    exporting.wait()
    for pid in (tmp_path / "pids").read_text().split():
        assert wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists()), "DuckDB outlived the collector"
    assert files_in(tmp_path / "export") == before
    export(tmp_path / "export", filled.data_dir)  # cleans up
    assert sorted(path.name for path in tmp_path.glob("export*")) == ["export"]
    assert not (tmp_path / "export/.gpuassay-export").exists()


def test_what_it_did_not_write_is_never_replaced(filled, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years")
    made = export(tmp_path / "export", filled.data_dir)
    (made.folder / "runs/notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(mine)
    (tmp_path / "new.unfinished").mkdir()
    (tmp_path / "new.unfinished/mine").write_text("mine")
    before = files_in(tmp_path)
    for name, says in [("mine", "thesis.tex"), ("export", "runs/notes.txt"), ("file", "not a folder"), ("link", "symbolic link"),
                       ("new", "new.unfinished")]:
        refused("--parquet", tmp_path / name, "--data-dir", filled.data_dir, code=2, says=says)
        after = files_in(tmp_path)
        assert {name: after[name] for name in before if "collector" not in name} == {
            name: before[name] for name in before if "collector" not in name}
    refused("--parquet", tmp_path / "file/below", "--data-dir", filled.data_dir, code=6, says="cannot prepare")


def namespace_works():
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not namespace_works(), reason="unshare -rm is not permitted here")
def test_a_full_disk_is_said_and_harmless(filled, tmp_path):
    """The folder is a disk of its own with room for less than the export."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = ('mount -t tmpfs -o size=200k none "$0" && "$@"; status=$?; ls -A "$0"; exit $status')
    command = [BIN / "gpuassay-collector", "export", "--parquet", disk / "export", "--data-dir", filled.data_dir, "--duckdb", DUCKDB]
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, disk, *command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 6 and "No space left" in one_line(done.stderr), done.stderr
    assert done.stdout == "", "nothing is left of it"


@pytest.mark.parametrize("arguments, says", [
    (["--data-dir", "DIR"], "--parquet"),
    (["--parquet", "out"], "--data-dir"),
    (["--parquet", "out", "--data-dir", "nowhere"], "there is no store"),
    (["--parquet", "out", "--data-dir", "DIR", "--suppress-below", "-1"], "--suppress-below"),
    (["--parquet", "out", "--data-dir", "DIR", "--database", "mysql://x"], "postgresql://"),
])
def test_a_wrong_command_line_is_one_line(tmp_path, arguments, says):
    arguments = [str(tmp_path / "data") if argument == "DIR" else argument for argument in arguments]
    done = collector_command("export", *arguments)
    assert done.returncode in (2, 6) and says in one_line(done.stderr)
    assert not (tmp_path / "data").exists() and not pathlib.Path("nowhere").exists()
