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
