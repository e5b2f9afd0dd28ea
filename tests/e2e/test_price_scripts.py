"""The scripts around prices: exports that the join reads, cross rates, and the fetcher's refusals."""

import json
import pathlib
import sqlite3
import subprocess
import sys

import duckdb
from conftest import BIN, ROOT
from test_thread import EXAMPLE, put_example

SEED = ROOT / "core/data/seed_prices.csv"


def script(name, *arguments):
    return subprocess.run([sys.executable, ROOT / "scripts" / name, *map(str, arguments)], capture_output=True, text=True)


def test_exported_parquet_joins_like_the_store(agent, make_collector, tmp_path):
    collector = make_collector("--accept-simulated")
    put_example(agent, json.loads(EXAMPLE.read_text()))
    assert agent("upload", "--collector", collector.url).returncode == 0
    assert collector.stop() == 0
    subprocess.run([BIN / "gpuassay-collector", "import-prices", "--format", "seed", SEED, "--data-dir", collector.data_dir],
                   check=True, capture_output=True)
    database = pathlib.Path(collector.data_dir) / "collector.db"
    exported = script("export_parquet", database, tmp_path / "export")
    assert exported.returncode == 0 and "0 results" in exported.stdout, "simulated results never reach an export"
    connection = sqlite3.connect(database)
    connection.execute("UPDATE run SET simulated = 0")
    connection.commit()
    stored = connection.execute((ROOT / "core/sql/join.sql").read_text()).fetchall()
    connection.close()
    exported = script("export_parquet", database, tmp_path / "export")
    assert "1 results" in exported.stdout and "61 prices" in exported.stdout, exported.stderr
    joined = script("join_prices", tmp_path / "export", tmp_path / "joined.parquet")
    assert joined.returncode == 0, joined.stderr
    rows = duckdb.sql(f"SELECT * FROM '{tmp_path}/joined.parquet'").fetchall()
    assert rows == stored and rows[0][1] == "provider_gpu"


NASTY = [None, "", " ", "NULL", "\\N", "007", "1e3", "-0", 'say ""hello""', '"', "a,b", ",", "two\nlines", "\n", "mac\rdos\r\n",
         "tab\tand \\ backslash", "\x00nul\x00", "\ufeffmark", "GPU\u00b2 \u5f35 \U0001f5a5", "#no comment", "'single'",
         "x" * 100_000]


def database_of(path, texts):
    """A database with the tables that an export asks, `texts` in every text."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE results (result_id TEXT, region TEXT, gpu_count_micro BIGINT, measured_at_ms BIGINT,"
                       " score DOUBLE PRECISION, gpu_model TEXT)")
    connection.execute("CREATE TABLE prices (price_id TEXT, amount TEXT, valid_to_ms BIGINT)")
    connection.execute("CREATE TABLE options (pricing_model TEXT, max_age_days BIGINT)")
    for number, text in enumerate(texts):
        score = [None, 1 / 3, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, 0.0][number % 6]
        row = [text, [None, 2**53 + 1, -(2**63)][number % 3], 0, score, text]
        connection.execute("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?)", [f"run {number}", *row])
        connection.execute("INSERT INTO prices VALUES (?, ?, ?)", [f"id {number}", text, None])
    connection.execute("INSERT INTO options VALUES (NULL, 90)")
    connection.commit()
    return connection


def test_an_export_loses_and_changes_nothing(tmp_path):
    connection = database_of(tmp_path / "collector.db", NASTY)
    exported = script("export_parquet", tmp_path / "collector.db", tmp_path)
    assert exported.returncode == 0, exported.stderr
    assert exported.stdout == f"{len(NASTY)} results\n{len(NASTY)} prices\n1 options\n"
    for table in ("results", "prices", "options"):
        kept = connection.execute(f"SELECT * FROM {table}").fetchall()
        assert duckdb.sql(f"SELECT * FROM '{tmp_path}/{table}.parquet'").fetchall() == kept
    types = dict(duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{tmp_path}/results.parquet')").fetchall())
    assert types == {"result_id": "VARCHAR", "region": "VARCHAR", "gpu_count_micro": "BIGINT", "measured_at_ms": "BIGINT",
                     "score": "DOUBLE", "gpu_model": "VARCHAR"}
    assert not list(tmp_path.glob("*.part")), "nothing unfinished stays"


def test_what_parquet_cannot_hold_is_refused_and_the_last_export_stays(tmp_path):
    connection = database_of(tmp_path / "collector.db", ["good"])
    assert script("export_parquet", tmp_path / "collector.db", tmp_path).returncode == 0
    for column, value in [("region", "CAST(x'61ff62' AS TEXT)"), ("measured_at_ms", "1.5"), ("measured_at_ms", "'soon'")]:
        connection.execute(f"UPDATE results SET {column} = {value}")
        connection.commit()
        refused = script("export_parquet", tmp_path / "collector.db", tmp_path)
        assert refused.returncode == 1 and "export_parquet: results: " in refused.stderr
        connection.execute("UPDATE results SET region = 'r', measured_at_ms = 0")
        assert duckdb.sql(f"SELECT region FROM '{tmp_path}/results.parquet'").fetchall() == [("good",)]
        assert not list(tmp_path.glob("*.part"))


def test_cross_rates_use_two_quotes_of_one_date(tmp_path):
    table = tmp_path / "ecb.csv"
    table.write_text("Date, USD, JPY, CNY, \n05 is no date,N/A,1,1,\n2024-01-05, 1.0921, 158.46, 7.8155, \n")
    made = script("fetch_prices", "rates", tmp_path / "rates.csv", table)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "rates.csv").read_text().splitlines() == [
        "date,currency,usd_per_unit,source",
        "2024-01-05,EUR,1.0921,ECB reference rate",
        "2024-01-05,JPY,0.0068919601,\"ECB reference rates, through EUR\"",
        "2024-01-05,CNY,0.1397351417,\"ECB reference rates, through EUR\"",
    ]


def test_fetching_never_replaces_a_file_and_names_its_sources(tmp_path):
    (tmp_path / "there").touch()
    for arguments, message in [(["vast", tmp_path / "there"], "exists"), (["nowhere", tmp_path / "x"], "nowhere"), ([], "say a source"),
                               (["lambda", tmp_path / "x"], "LAMBDA_API_KEY")]:
        refused = script("fetch_prices", *arguments)
        assert refused.returncode == 1 and message in refused.stderr and refused.stderr.count("\n") == 1
