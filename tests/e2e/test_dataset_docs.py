"""Runs every query of docs/DATASET.md on a dataset whose answers are known by hand."""

import json
import math
import re
import subprocess
import sys

import pytest
from conftest import BIN, ROOT

sys.path.insert(0, str(ROOT / "tests/support/python"))
sys.path.insert(0, str(ROOT / "tests/conformance"))
from exports import DUCKDB, export  # noqa: E402
from made_runs import Machine, example, placed, slower  # noqa: E402

PAGE = (ROOT / "docs/DATASET.md").read_text()
BLOCKS = {name: code for _, name, code in re.findall(r"^```(sql|python)\n(?:--|#) (.*?)\n(.*?)^```$", PAGE, re.M | re.S)}
MODELS = {"Tesla V100": 0.05, "A100": -0.05}  # what each level adds to ln(score)
PROVIDERS = {"aws": 0.03, "gcp": -0.03}
MACHINES = [0.02, 0.0, -0.02]
RUNS = [0.01, -0.01]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """2 models, 2 providers, 3 machines of each, 2 runs of each machine."""
    from conftest import Collector

    folder = tmp_path_factory.mktemp("dataset")
    collector = Collector(folder / "collector")
    v100 = example("v100")
    # An A100 that is as fast as the V100: from there both are as the table above says.
    bases = {"Tesla V100": v100, "A100": v100 | {"devices": example("a100")["devices"]}}
    machine = None
    for model, of_model in MODELS.items():
        for provider, of_provider in PROVIDERS.items():
            for of_machine in MACHINES:
                machine = Machine(collector.url)
                for of_run in RUNS:
                    effect = of_model + of_provider + of_machine + of_run
                    machine.send(placed(slower(bases[model], math.exp(-effect)), "2026-11-20", provider=provider))
    gone = machine.send(placed(v100, "2026-11-21", provider="azure"))
    assert collector.stop() == 0
    prices = folder / "prices.csv"
    prices.write_text("provider,gpu_model,gpu_count,pricing_model,amount,currency,unit,valid_from,price_basis\n"
                      "aws,Tesla V100,1,on_demand,2.00,USD,hour,2026-11-01,instance\n"
                      "gcp,Tesla V100,1,on_demand,4.00,USD,hour,2026-11-01,instance\n")
    store = ["--data-dir", collector.data_dir]
    for command in (["import-prices", "--format", "normalized", prices, *store], ["retract", gone, *store]):
        if command[0] == "retract":
            export(folder / "older", collector.data_dir)
        subprocess.run([BIN / "gpuassay-collector", *command], check=True, capture_output=True, timeout=60)
    made = export(folder / "export", collector.data_dir)
    (made.folder / "older").symlink_to(folder / "older")
    assert made.count("runs") == 24, "some were quarantined"
    made.score = v100["score"]["value"]
    return made


def squares():
    """The sums of squares of the effects above, by hand: 24 runs, each effect's mean square."""
    mean_square = lambda effects: sum(effect**2 for effect in effects) / len(effects)
    return {"gpu_model": mean_square(MODELS.values()), "provider": mean_square(PROVIDERS.values()),
            "machine": mean_square(MACHINES), "run": mean_square(RUNS)}


def is_known(answer):
    total = sum(squares().values())
    assert answer == pytest.approx({name: square / total for name, square in squares().items()}, rel=1e-3)
    assert answer["gpu_model"] == pytest.approx(0.6637, abs=1e-3)  # 25 / (25 + 9 + 8/3 + 1)


def duckdb(dataset, name):
    done = subprocess.run([DUCKDB, "-init", "/dev/null", "-json", "-c", ".read views.sql", "-c", BLOCKS[name]], cwd=dataset.folder,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_block_is_run_below():
    assert set(BLOCKS) == {"spread", "value", "tails", "variance", "deletions", "variance with pandas", "variance with spark",
                           "prices with spark"}
    assert PAGE.count("```sql") + PAGE.count("```python") == len(BLOCKS)


def test_spread(dataset):
    rows = duckdb(dataset, "spread")
    assert [(row["gpu_model"], row["machines"]) for row in rows] == [("A100", 6), ("Tesla V100", 6)]
    # The six machines of a model are at +-0.03 + (0.02, 0, -0.02): the median is 0, on the scale of ln nearly so.
    assert math.log(rows[1]["score"] / dataset.score) == pytest.approx(0.05, abs=1e-3)
    assert rows[0]["p10"] < rows[0]["score"] < rows[0]["p90"]


def test_value(dataset):
    rows = duckdb(dataset, "value")
    assert [(row["gpu_model"], row["provider"], row["machines"]) for row in rows] == [("Tesla V100", "aws", 3), ("Tesla V100", "gcp", 3)]
    assert rows[0]["score_per_usd_hour"] / rows[1]["score_per_usd_hour"] == pytest.approx(2 * math.exp(0.06), rel=1e-3)


def test_tails(dataset):
    rows = duckdb(dataset, "tails")
    assert sum(row["operations"] for row in rows) == dataset.values(
        "SELECT count(*) FROM measurements WHERE workload = 'gemm' AND status = 'ok'")[0]
    # The samples of the examples are all alike but those of which a tail is visible here.
    by_hand = dataset.rows("SELECT samples_ns, median_ns FROM measurements WHERE workload = 'gemm' AND status = 'ok'")
    assert max(row["tail"] for row in rows) <= max(max(row["samples_ns"]) / row["median_ns"] - 1 for row in by_hand) + 1e-9


def test_variance_in_duckdb(dataset):
    is_known(duckdb(dataset, "variance")[0])


def test_variance_with_pandas(dataset, monkeypatch):
    monkeypatch.chdir(dataset.folder)
    names = {}
    exec(BLOCKS["variance with pandas"], names)
    is_known(names["answer"])


def test_deletions(dataset):
    assert duckdb(dataset, "deletions") == [{"kept": 24}]
    assert len(list((dataset.folder / "older/runs").rglob("*.parquet"))) == 1


def test_with_spark(dataset):
    """In a process of its own, as Spark looks for relative paths where it was started."""
    if not (ROOT / ".cache/spark/spark.txt").exists():
        pytest.skip("Spark is not there (./scripts/setup test fetches it)")
    script = dataset.folder.parent / "with_spark.py"
    script.write_text("\n".join([
        "import json, sys", f"sys.path.insert(0, {str(ROOT / 'tests/conformance')!r})", "from engines import Spark",
        "spark = Spark().session", BLOCKS["variance with spark"], "variance = answer", BLOCKS["prices with spark"],
        "levels = answer.groupBy('match_level').count().collect()",
        "print(json.dumps([variance, {row['match_level']: row['count'] for row in levels}]))"]))
    done = subprocess.run([sys.executable, script], cwd=dataset.folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    variance, levels = json.loads(done.stdout.splitlines()[-1])
    is_known(variance)
    assert levels == {row["price_match_level"]: row["n"] for row in dataset.rows(
        "SELECT price_match_level, count(*) AS n FROM headline GROUP BY ALL")}
    assert levels["provider_gpu"] == 12
