"""Runs core/sql/join.sql on SQLite, PostgreSQL, DuckDB and Spark: tables in, rows of the output out."""

import atexit
import os
import pathlib
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile

import pytest
from tables import INTEGER, OPTIONS, OUTPUT, PRICES, REAL, RESULTS, TEXT, WHOLE_NUMBERS

ROOT = pathlib.Path(__file__).resolve().parents[2]
JOIN = (ROOT / "core/sql/join.sql").read_text()
TABLES = {"results": RESULTS, "prices": PRICES, "options": OPTIONS}
SPARK_HOME = ROOT / ".cache/spark/deps"


def columns_sql(columns, names):
    return ", ".join(f"{column} {names[kind]}" for column, kind in columns.items())


def values(rows, columns):
    return [[row[column] for column in columns] for row in rows]


def as_dicts(rows):
    return [dict(zip(OUTPUT, row)) for row in rows]


class Sqlite:
    names = {TEXT: "TEXT", INTEGER: "BIGINT", REAL: "DOUBLE PRECISION"}

    def join(self, **tables):
        database = sqlite3.connect(":memory:")
        for table, columns in TABLES.items():
            database.execute(f"CREATE TABLE {table} ({columns_sql(columns, self.names)})")
            marks = ", ".join("?" for _ in columns)
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", values(tables[table], columns))
        cursor = database.execute(JOIN)
        assert [column[0] for column in cursor.description] == OUTPUT
        return as_dicts(cursor.fetchall())


class DuckDb:
    names = Sqlite.names

    def join(self, **tables):
        cursor = self.filled(tables).execute(JOIN)
        assert [column[0] for column in cursor.description] == OUTPUT
        return as_dicts(cursor.fetchall())

    def filled(self, tables):
        import duckdb

        database = duckdb.connect(config={"threads": 2})
        for table, columns in TABLES.items():
            database.execute(f"CREATE TABLE {table} ({columns_sql(columns, self.names)})")
            marks = ", ".join("?" for _ in columns)
            if tables[table]:
                database.executemany(f"INSERT INTO {table} VALUES ({marks})", values(tables[table], columns))
        return database


class Postgres:
    """A server of its own in a temporary directory, reachable through a socket there only."""

    names = Sqlite.names
    database = "postgres"

    def __init__(self, settings="-c fsync=off -c jit=off", parent=None):
        self.bin = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gpuassay-pg", dir=parent))
        atexit.register(self.stop)
        # The server refuses to run as root.
        self.user = "nobody" if os.getuid() == 0 else None
        if self.user:
            os.chown(self.folder, pwd.getpwnam(self.user).pw_uid, -1)
        data = self.folder / "data"
        self.command(self.bin / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        settings = f"-c listen_addresses= -c unix_socket_directories={self.folder} {settings}"
        self.command(self.bin / "pg_ctl", "-D", data, "-l", self.folder / "log", "-w", "-o", settings, "start")

    def command(self, *arguments, text=None):
        done = subprocess.run([str(argument) for argument in arguments], input=text, capture_output=True, text=True,
                              user=self.user, cwd=self.folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
        assert done.returncode == 0, f"{arguments[0]}: {done.stderr or done.stdout}"
        return done.stdout

    def psql(self, script, database):
        return self.command(self.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "test", database,
                            text=script)

    def join(self, **tables):
        script = []
        for table, columns in TABLES.items():
            script.append(f"CREATE TEMP TABLE {table} ({columns_sql(columns, self.names)});\n")
            script.append(f"COPY {table} FROM stdin;\n")
            for row in values(tables[table], columns):
                script.append("\t".join("\\N" if value is None else str(value) for value in row) + "\n")
            script.append("\\.\n")
        script.append(f"COPY (\n{JOIN}\n) TO STDOUT;\n")
        answer = self.psql("".join(script), self.database)
        return as_dicts([self.typed(line.split("\t")) for line in answer.splitlines()])

    @staticmethod
    def typed(cells):
        row = []
        for column, cell in zip(OUTPUT, cells):
            if cell == "\\N":
                row.append(None)
            elif column == "score_per_usd_hour":
                row.append(float(cell))
            elif column in WHOLE_NUMBERS:
                row.append(int(cell))
            else:
                row.append(cell)
        return row

    def stop(self):
        subprocess.run([str(self.bin / "pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop"],
                       capture_output=True, user=self.user)
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresCollated(Postgres):
    """With the collation of a language, which most servers have: it sorts texts as people do, not by bytes."""

    database = "collated"

    def __init__(self):
        super().__init__()
        if int(self.bin.parent.name) < 15:
            pytest.skip("PostgreSQL before 15 has no databases with a collation of ICU")
        self.psql("CREATE DATABASE collated TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'", "postgres")
        assert self.psql("COPY (SELECT 'a' < 'B') TO STDOUT", self.database) == "t\n"


class Spark:
    """Local mode, reading Parquet that DuckDB wrote, as analysts do."""

    def __init__(self):
        os.environ["SPARK_HOME"] = str(SPARK_HOME)
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        sys.path.insert(0, str(SPARK_HOME.parent))
        from pyspark.sql import SparkSession

        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.codegen.wholeStage": "false",  # compiling such plans takes longer than these rows
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.adaptive.enabled": "false",
            "spark.log.level": "ERROR",
        }
        builder = SparkSession.builder.master("local[2]")
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        atexit.register(self.session.stop)

    def join(self, **tables):
        with tempfile.TemporaryDirectory() as folder:
            database = DuckDb().filled(tables)
            for table in TABLES:
                database.execute(f"COPY {table} TO '{folder}/{table}.parquet'")
                self.session.read.parquet(f"{folder}/{table}.parquet").createOrReplaceTempView(table)
            frame = self.session.sql(JOIN)
            assert frame.columns == OUTPUT
            return as_dicts([tuple(row) for row in frame.collect()])


ENGINES = {"sqlite": Sqlite, "postgres": Postgres, "duckdb": DuckDb, "spark": Spark,
           "postgres_collated": PostgresCollated}
