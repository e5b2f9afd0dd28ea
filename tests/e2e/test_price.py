"""gpuassay price as a user runs it: a fresh install, imports, matches, lists, and input that means harm."""

import json
import random
import subprocess

import pytest
from conftest import BIN, ROOT
from test_gpu import on_fake

FIXTURES = ROOT / "tests/fixtures/prices"
SEED = ROOT / "core/data/seed_prices.csv"
MEASUREMENT = {
    "provider": "tencent", "instance_type": None, "region": None, "gpu_model": "Tesla V100", "gpu_variant": None,
    "gpu_count": 8, "gpus_used": 8, "gpu_memory_gib_total": 256, "vcpus": 80, "memory_gib": 320,
    "measured_at": "2022-08-01T12:00:00Z",
}  # fmt: skip
FIELDS = {
    "match_level", "price_id", "source_ref", "amount", "currency", "unit", "fx_rate", "fx_date", "price_instance_hour_usd",
    "price_gpu_hour_usd", "candidates", "lowest_gpu_hour_usd", "highest_gpu_hour_usd", "region_match", "memory_check",
    "count_scaled", "age_days", "stale", "as_of_precision", "tax", "reason",
}  # fmt: skip


@pytest.fixture
def match(agent, tmp_path):
    def run(*arguments, **changes):
        path = tmp_path / "measurement.json"
        path.write_text(json.dumps(dict(MEASUREMENT, **changes)))
        ran = agent("price", "match", "--measurement", path, "--json", *arguments)
        assert ran.returncode == 0, ran.stderr
        answer = json.loads(ran.stdout)
        assert FIELDS <= answer.keys(), "every field, always"
        return answer

    return run


def test_a_fresh_install_answers_and_says_how_old_its_prices_are(match, agent):
    answer = match()
    assert (answer["match_level"], answer["price_instance_hour_usd"]) == ("provider_gpu", "13.780000")
    assert (answer["stale"], answer["age_days"]) == (False, 25)
    today = match(measured_at="2026-11-25T12:00:00Z")
    assert today["stale"] and today["age_days"] == 1602, "old prices are shown, marked and used for want of better ones"
    assert not (agent.data_dir / "prices.db").exists(), "looking makes no files"


def test_none_is_an_answer(match):
    answer = match(gpu_model="B200", gpu_memory_gib_total=None)
    assert answer["match_level"] == "none" and answer["reason"] == "no_gpu_price"
    assert answer["price_instance_hour_usd"] is None and answer["score_per_usd_hour"] is None
    assert match(provider=None)["reason"] == "no_provider"
    assert match("--rental-equivalent", provider=None)["match_level"] == "gpu_only"


def test_prices_and_rates_of_files_alone(match):
    yuan = dict(provider="baidu", gpu_model="P40", gpu_count=2, gpus_used=2, gpu_memory_gib_total=48,
                measured_at="2024-01-10T00:00:00Z")
    assert match("--pricing-model", "monthly", **yuan)["reason"] == "fx_missing"
    prices = ["--prices", FIXTURES / "normalized.csv", "--pricing-model", "monthly"]
    assert match(*prices, **yuan)["reason"] == "fx_missing"
    oracle = match("--prices", FIXTURES / "normalized.csv", provider="oracle", instance_type="bm.gpu4.8", gpu_model="A100",
                   gpu_variant="SXM4", gpu_memory_gib_total=316, region="eu", measured_at="2024-01-10T00:00:00Z")
    assert oracle["match_level"] == "exact_offer" and oracle["region_match"] == "global"
    assert oracle["price_instance_hour_usd"] == "24.400000" and oracle["price_gpu_hour_usd"] == "3.050000"
    euro = dict(provider="hetzner", instance_type="GEX130", region="fsn1", gpu_model="RTX 6000 Ada", gpu_count=1,
                gpus_used=1, gpu_memory_gib_total=48, measured_at="2024-01-10T00:00:00Z")
    assert match("--prices", FIXTURES / "normalized.csv", **euro)["reason"] == "fx_missing"
    answer = match("--prices", FIXTURES / "normalized.csv", "--rates", FIXTURES / "rates.csv", **euro)
    assert (answer["fx_rate"], answer["fx_date"]) == ("1.0921", "2024-01-05")
    assert answer["price_instance_hour_usd"] == "1.092100", "net of 19 % tax"


def test_every_format_is_imported_and_importing_again_changes_nothing(agent):
    for name, file, options in [
        ("normalized", "normalized.csv", []), ("gpuhunt", "gpuhunt.csv", ["--provider", "aws", "--as-of", "2026-11-01"]),
        ("vast", "vast.json", ["--as-of", "2026-11-01T10:00:00Z"]), ("azure", "azure.json", []), ("aws", "aws.csv", []),
        ("skypilot", "skypilot.csv", ["--provider", "gcp", "--as-of", "20261101-2"]),
        ("lambda", "lambda.json", ["--as-of", "2026-11-01"]), ("runpod", "runpod.json", ["--as-of", "2026-11-01"]),
    ]:  # fmt: skip
        command = ["price", "import", "--format", name, FIXTURES / file, *options]
        first = agent(*command)
        assert first.returncode == 0 and " accepted (" in first.stdout, first.stderr
        again = agent(*command)
        assert "(0 new, 0 confirmed," in again.stdout and "disappeared" not in again.stdout, again.stdout
    missing = agent("price", "import", "--format", "gpuhunt", FIXTURES / "gpuhunt.csv")
    assert missing.returncode == 2 and "--provider" in missing.stderr


def test_the_agent_and_the_collector_import_alike(agent, tmp_path):
    options = ["--format", "gpuhunt", "--provider", "aws", "--as-of", "2026-11-01"]
    ours = agent("price", "import", *options, FIXTURES / "gpuhunt.csv")
    theirs = subprocess.run([BIN / "gpuassay-collector", "import-prices", *options, FIXTURES / "gpuhunt.csv", "--data-dir",
                             tmp_path / "collector"], capture_output=True, text=True, check=True)
    assert ours.stdout == theirs.stdout


def test_shuffled_lines_give_the_same_answer(match, tmp_path):
    header, *lines = SEED.read_text().splitlines(keepends=True)
    answers = []
    for seed in range(3):
        random.Random(seed).shuffle(lines)
        path = tmp_path / "shuffled.csv"
        path.write_text(header + "".join(lines))
        answer = match("--prices", path)
        answer["source_ref"] = answer["source_ref"].split(" ")[0]  # the line number is another one
        answers.append(answer)
    assert answers[0] == answers[1] == answers[2] and answers[0]["price_instance_hour_usd"] == "13.780000"


def test_list_is_cheapest_first_and_ranks_by_measured_results(agent, tmp_path):
    listed = json.loads(agent("price", "list", "--at", "2022-08-01", "--gpu", "V100", "--json").stdout)["offers"]
    prices = [float(offer["price_gpu_hour_usd"]) for offer in listed]
    assert len(prices) > 5 and prices == sorted(prices)
    for count, score in ((1, 40), (8, 300)):
        path = tmp_path / f"{count}.json"
        path.write_text(json.dumps(dict(MEASUREMENT, gpu_count=count, gpus_used=count, gpu_memory_gib_total=32 * count,
                                        score=score)))
    command = ["price", "list", "--at", "2022-08-01", "--measured", tmp_path / "1.json", tmp_path / "8.json"]
    ranked = json.loads(agent(*command, "--json").stdout)
    assert ranked["ranked_by"] == "score_per_usd_hour" and ranked["left_out_stale"] > 0, "stale ones by request only"
    best = [offer["score_per_usd_hour"] for offer in ranked["offers"]]
    assert best == sorted(best, reverse=True)
    eight = next(offer for offer in ranked["offers"] if offer["provider"] == "tencent" and offer["gpu_count"] == "8.000000")
    assert eight["score_per_usd_hour"] == round(300 / 13.78, 4) and not eight["count_scaled"]
    two = next(offer for offer in ranked["offers"] if offer["provider"] == "tencent" and offer["gpu_count"] == "2.000000")
    assert two["score"] in (75, 80) and two["count_scaled"]
    assert len(json.loads(agent(*command, "--include-stale", "--json").stdout)["offers"]) > len(ranked["offers"])


def test_a_run_prints_the_match_and_the_user_wins(agent):
    ran = agent("run", "--profile", "quick", "--max-seconds", "3", "--provider", "aws", "--json", "--quiet")
    result = json.loads(ran.stdout)
    assert result["platform"]["provider"] == "aws" and result["platform"]["source"]["provider"] == "flag"
    assert result["price"]["match_level"] == "none" and result["price"]["reason"] == "no_gpu_price", "a CPU has no GPU price"
    assert result["score_per_usd_hour"] is None
    told = agent("show", result["run_id"]).stdout
    assert "unknown: no price of this GPU is known" in " ".join(told.split())


def test_a_run_on_a_gpu_is_joined_and_says_how_good_the_match_is(agent):
    ran = on_fake(agent, "V100-SXM2-32GB", "--provider", "tencent", seconds=4)
    result = json.loads(ran.stdout)
    price = result["price"]
    assert price["match_level"] == "provider_gpu" and price["price_instance_hour_usd"] == "1.720000"
    assert price["stale"] is True and price["age_days"] > 1500 and price["memory_check"] == "equal"
    assert price["pricing_model_assumed"] is True and result["run_cost_usd"] is not None
    told = " ".join(agent("show", result["run_id"]).stdout.split())
    assert "provider_gpu on_demand (assumed)" in told and "years old STALE" in told
    paid = json.loads(on_fake(agent, "V100-SXM2-32GB", "--price", "2.5", seconds=4).stdout)["price"]
    assert paid["match_level"] == "user" and paid["price_instance_hour_usd"] == "2.500000"


@pytest.mark.parametrize("changes, message", [
    (dict(gpu_count=0), "gpu_count"), (dict(gpu_count=-1), "gpu_count"), (dict(measured_at=None), "measured_at"),
    (dict(measured_at="yesterday"), "measured_at"), (dict(gpu_model="RTX 6000", gpu_memory_gib_total=None), "memory is needed"),
    (dict(gpu_model="Q9000"), "Q9000"), (dict(vcpus=True), "vcpus"), (dict(surprise=1), "surprise"),
    (dict(pricing_model="cheap"), "pricing_model"),
])  # fmt: skip
def test_a_bad_measurement_is_named(agent, tmp_path, changes, message):
    path = tmp_path / "measurement.json"
    path.write_text(json.dumps(dict(MEASUREMENT, **changes)))
    ran = agent("price", "match", "--measurement", path)
    assert ran.returncode == 2 and message in ran.stderr and ran.stderr.count("\n") == 1


def limited(command, megabytes, **kwargs):
    """Runs it with so much address space at most."""
    return subprocess.run(["bash", "-c", f'ulimit -v {megabytes * 1024}; exec "$@"', "-", *map(str, command)],
                          capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL, **kwargs)


@pytest.mark.parametrize("format, beginning", [("normalized", "provider,"), ("vast", '{"offers": [')])
def test_a_line_of_two_gigabytes_is_refused_in_bounded_memory(agent, tmp_path, format, beginning):
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.write(beginning.encode() + b"x" * 1000)
        file.truncate(2 << 30)  # sparse: zero bytes
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"y" * (400 << 20))  # no zero byte for longer than any limit
    command = agent.command("price", "import", "--format", format, path, "--as-of", "2026-11-01")
    sanitized = "build/dev" in command[0]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=150) if sanitized else limited(command, 1000)
    assert ran.returncode == 2 and ran.stderr.count("\n") == 1, ran.stderr
    assert str(path) in ran.stderr and ("line 1, column 2" in ran.stderr or "MiB" in ran.stderr)
    path.unlink()


def test_nothing_is_half_imported(agent, tmp_path):
    text = (FIXTURES / "gpuhunt.csv").read_text()
    options = ["--format", "gpuhunt", "--provider", "aws", "--as-of", "2026-11-01"]
    for damage in (text + "short,row\n", text + '"never closed', text.encode().replace(b"us-east-1", b"\xff", 1)):
        path = tmp_path / "damaged.csv"
        path.write_bytes(damage if isinstance(damage, bytes) else damage.encode())
        ran = agent("price", "import", *options, path)
        assert ran.returncode == 2 and "line" in ran.stderr and "column" in ran.stderr, ran.stderr
    listed = json.loads(agent("price", "list", "--provider", "aws", "--at", "2026-11-02", "--json").stdout)["offers"]
    assert all("gpuhunt" not in offer["source_ref"] for offer in listed)


def test_overlaps_reject_the_file(agent, tmp_path):
    path = tmp_path / "overlap.csv"
    path.write_text("provider,instance_type,gpu_model,gpu_count,pricing_model,amount,currency,unit,valid_from,valid_to\n"
                    "aws,p3,V100,1,on_demand,3,USD,hour,2024-01-01,2024-03-01\n"
                    "aws,p3,V100,1,on_demand,3,USD,hour,2024-02-01,2024-04-01\n")
    ran = agent("price", "import", "--format", "normalized", path)
    assert ran.returncode == 2 and "overlaps" in ran.stderr and "overlap.csv" in ran.stderr


def test_a_symbolic_link_in_place_of_the_database_is_refused(agent, tmp_path):
    agent.data_dir.mkdir(exist_ok=True)
    (agent.data_dir / "prices.db").symlink_to(tmp_path / "elsewhere")
    assert agent("price", "import", "--format", "seed", SEED).returncode == 6


HEADER = ("provider,instance_type,gpu_model,gpu_count,gpu_memory_gib_total,pricing_model,amount,upfront_amount,"
          "commitment_months,currency,unit,price_basis,tax,tax_rate,valid_from,observed_at,valid_to\n")


def row(amount="1.0", unit="hour", basis="instance", start="2026-01-01", observed="", end="", tax=",", count=8):
    return (f"aws,p3,V100,{count},{16 * count},on_demand,{amount},,,USD,{unit},{basis},{tax},{start},{observed or start},"
            f"{end}\n")


@pytest.fixture
def imported(agent, tmp_path):
    """Imports rows as one file of one source; the exit codes in order."""

    def run(*files):
        codes = []
        for text in files:
            path = tmp_path / "prices.csv"
            path.write_text(HEADER + text)
            codes.append(agent("price", "import", "--format", "normalized", path).returncode)
        return codes

    return run


def hourly(match, day):
    question = dict(provider="aws", instance_type="p3", gpu_model="V100", gpu_count=8, gpus_used=8,
                    gpu_memory_gib_total=128, measured_at=f"{day}T00:00:00Z")
    return match(**question)["price_instance_hour_usd"]


def test_the_same_digits_in_another_unit_or_basis_are_another_price(imported, match):
    assert imported(row("1.5"), row("1.50", observed="2026-01-02")) == [0, 0]
    assert imported(row("1.5", basis="per_gpu", start="2026-01-05")) == [0]
    assert imported(row("1500", unit="month", start="2026-01-09")) == [0]
    assert [hourly(match, f"2026-01-{day:02}") for day in (3, 6, 10)] == ["1.500000", "12.000000", "2.054795"]
    assert imported(row("1.5", basis="per_gpu")) == [2], "another price at the same instant"


def test_an_end_that_is_stated_later_ends_the_price(imported, match):
    assert imported(row("2.5"), row("2.5", end="2026-01-05")) == [0, 0]
    assert hourly(match, "2026-01-04") == "2.500000" and hourly(match, "2026-01-06") != "2.500000"


def test_history_that_is_imported_later_cuts_what_was_seen_around_it(imported, match):
    assert imported(row("1.5"), row("1.5", start="2026-01-09"), row("2.5", start="2026-01-05")) == [0, 0, 0]
    assert [hourly(match, f"2026-01-{day:02}") for day in (4, 6, 10)] == ["1.500000", "2.500000", "1.500000"]
    assert imported(row("3.5", start="2026-01-09")) == [2], "another amount was seen that very day"


def test_a_tax_of_19_is_no_rate(imported, match):
    imported(row("2.0", tax="included,19"))
    assert hourly(match, "2026-01-02") not in ("0.100000", "2.000000")
    assert imported(row("2.38", tax="included,0.19")) == [0]
    assert hourly(match, "2026-01-02") == "2.000000"


def test_a_list_without_prices_ends_nothing(agent, tmp_path):
    path = tmp_path / "catalogue.csv"
    arguments = ["price", "import", "--format", "gpuhunt", "--provider", "aws", path]
    text = (FIXTURES / "gpuhunt.csv").read_text()
    path.write_text(text)
    assert agent(*arguments, "--as-of", "2026-01-01").returncode == 0
    path.write_text(text.splitlines()[0] + "\n")
    ran = agent(*arguments, "--as-of", "2026-01-05")
    assert ran.returncode == 2 and "fetch it again" in ran.stderr


def test_a_part_of_a_machine_has_no_price(agent):
    flags = ["--provider", "tencent", "--device", "0"]
    result = json.loads(on_fake(agent, "V100-SXM2-32GB*4", *flags, seconds=30).stdout)
    assert result["price"]["match_level"] == "none" and result["price"]["reason"] == "part_of_machine"
    assert result["price"]["price_instance_hour_usd"] is None and result["score_per_usd_hour"] is None
    ran = agent("price", "match", "--json", "--measurement", agent.files()[0])
    assert json.loads(ran.stdout)["match_level"] == "none"


def test_a_new_dataset_can_be_asked_at_once(tmp_path):
    command = [BIN / "gpuassay-collector", "import-prices", "--format", "seed", SEED, "--data-dir", tmp_path / "dataset"]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    asked = subprocess.run(["sqlite3", tmp_path / "dataset/collector.db"], input=(ROOT / "core/sql/join.sql").read_text(),
                           capture_output=True, text=True, timeout=60)
    assert asked.returncode == 0 and asked.stderr == "" and asked.stdout == ""


def test_a_measurement_that_cannot_be_is_refused(agent, tmp_path):
    for change in ({"gpus_used": 0}, {"gpus_used": 9}, {"score": "12abc"}, {"score": "abc"}):
        path = tmp_path / "measurement.json"
        path.write_text(json.dumps(dict(MEASUREMENT, **change)))
        ran = agent("price", "match", "--measurement", path)
        assert ran.returncode == 2 and next(iter(change)) in ran.stderr, change
