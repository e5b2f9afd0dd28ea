"""Calls `gpuassay-collector export` and looks into what it wrote."""

import json
import os
import pathlib
import subprocess
import sys

import duckdb

# scripts/setup puts DuckDB's program beside the Python that runs the tests.
DUCKDB = pathlib.Path(sys.prefix) / "bin/duckdb"
PARTITIONED = ("runs", "devices", "measurements", "headline")
# What migrations 6 and later made, for stores of a version before; the row of schema_migration goes too.
UNDO_WHAT_CAME_WITH_THE_LOG = (
    *(f"DROP TABLE {table}" for table in ("log_entry", "log_node", "log_checkpoint", "floor_proof", "run_trace", "run_gpu",
                                          "run_pattern", "run_flag")),
    "ALTER TABLE signing_key DROP COLUMN vouched_at_ms")
SINGLE = ("results", "prices", "options", "deletions")


def collector_command(*arguments, timeout=120, **variables):
    program = pathlib.Path(os.environ["GPUASSAY_BIN"]) / "gpuassay-collector"
    environment = os.environ | {"PATH": f"{DUCKDB.parent}:{os.environ['PATH']}"} | variables
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env=environment)


def export(target, data_dir, *arguments, **options):
    done = collector_command("export", "--parquet", target, "--data-dir", data_dir, *arguments, **options)
    assert done.returncode == 0, done.stderr
    return Export(target)


class Export:
    """The views of an export, in a database of their own."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.database = duckdb.connect(config={"threads": 2})
        for table in PARTITIONED:
            self.database.execute(f"CREATE VIEW {table} AS FROM read_parquet('{folder}/{table}/*/*.parquet', "
                                  "hive_partitioning = true, hive_types_autocast = false)")
        for table in SINGLE:
            self.database.execute(f"CREATE VIEW {table} AS FROM '{folder}/{table}.parquet'")

    def rows(self, sql):
        """As dictionaries."""
        cursor = self.database.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]

    def values(self, sql):
        return [row[0] for row in self.database.execute(sql).fetchall()]

    def count(self, table):
        return self.values(f"SELECT count(*) FROM {table}")[0]

    def manifest(self):
        return json.loads((self.folder / "manifest.json").read_text())

    def text(self):
        """Every value of every table, and every document."""
        parts = [str(self.database.execute(f"FROM {table}").fetchall()) for table in PARTITIONED + SINGLE]
        parts += [path.read_text() for path in self.folder.iterdir() if path.is_file() and path.suffix != ".parquet"]
        return "\n".join(parts)


def files_in(folder):
    """Name and content of every file below."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def verify(collector, *arguments):
    return collector_command("verify", "--data-dir", collector.data_dir, *arguments)
