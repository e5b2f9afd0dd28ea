"""A whole run on this machine: measured, verified, scored, saved."""

import json
import os
import stat
import urllib.request

import pytest
from conftest import Agent


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One quick run with time to spare; what it left is looked at by many tests."""
    agent = Agent(tmp_path_factory.mktemp("quick") / "data")
    # The profile's own limit is 20 s; an instrumented build on a busy machine may need longer for the same cases.
    ran = agent("run", "--profile", "quick", "--max-seconds", "100", "--price", "0.30")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return agent, ran, agent.results()[0]


def test_every_case_is_verified(quick):
    _, _, result = quick
    assert result["status"] == "complete" and result["reasons"] == [] and result["simulated"] is False
    ok = [m for m in result["measurements"] if m["status"] == "ok"]
    assert len(ok) >= 25
    for m in ok:
        assert m["verification"]["passed"] and m["verification"]["positions"] >= 64, m["id"]
        assert m["metric"]["value"] > 0 and len(m["samples_ns"]) >= 5, m["id"]
    for m in result["measurements"]:
        assert m["status"] == "ok" or (m["status"] == "skipped" and m["reason"].startswith("unsupported")), m["id"]


def test_the_share_of_time_that_measured_is_told(quick):
    _, ran, result = quick
    use = result["time_use"]
    sampled_s = sum(m["seconds_under_load"] for m in result["measurements"] if m["status"] == "ok")
    assert sampled_s <= use["measuring_s"] < result["duration_s"], "samples, warming up and verifying"
    assert use["preparing_s"] > 0 and use["measuring_s"] + use["preparing_s"] <= result["duration_s"]
    assert use["non_measuring_fraction"] == pytest.approx(1 - use["measuring_s"] / result["duration_s"], abs=1e-3)
    assert f"measuring {100 * (1 - use['non_measuring_fraction']):.1f} %" in ran.stdout


def test_score_and_headlines_are_there(quick):
    _, _, result = quick
    assert result["score"]["value"] > 0 and result["score"]["version"] == "2026.1"
    classes = result["score"]["classes"]
    mean = (classes["train"] * classes["prefill"] * classes["decode"]) ** (1 / 3)
    assert result["score"]["value"] == pytest.approx(mean, rel=1e-4)
    instance = result["summary"]["instance"]
    assert instance["gemm_tflop_per_s"]["fp32"]["burst"] > 0
    assert instance["conv_tflop_per_s"]["fp32"]["burst"] > 0
    assert instance["bandwidth_gb_per_s"]["triad"]["burst"] > 0
    assert result["devices"][0]["kind"] == "cpu"


def test_money(quick):
    _, _, result = quick
    said = {name: value for name, value in result["price"].items() if value is not None}
    assert said == {"match_level": "user", "price_instance_hour_usd": "0.300000"}
    assert {"price_id", "source_ref", "cost_basis", "stale"} < set(result["price"]), "every field is there, as null"
    assert result["score_per_usd_hour"] == pytest.approx(result["score"]["value"] / 0.30, rel=1e-5)
    assert float(result["run_cost_usd"]) == pytest.approx(0.30 * result["duration_s"] / 3600, abs=2e-6)


def test_score_is_recomputed_from_the_samples_exactly(quick):
    agent, _, result = quick
    again = agent("score", result["run_id"], "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == result["score"]
    text = agent("score", result["run_id"], "--explain").stdout
    assert "geometric mean of the three" in text and "llm_decode_b32" in text


def test_workloads_are_predicted_from_what_was_measured(quick):
    agent, _, result = quick
    ran = agent("score", result["run_id"], "--explain", "--json")
    explained = json.loads(ran.stdout)
    assert ran.returncode == 0 and explained["score"] == result["score"]
    full = {each["name"]: each for each in explained["predictions"] if each["precision"] == "full"}
    assert len(full) == 8, "products and convolutions in fp32 are in every profile"
    for each in full.values():
        assert 0 < each["low"] <= each["samples_per_s"] <= each["high"] and 0 <= each["covered_share"] <= 1
        assert each["dtype"] == "fp32" and each["pauses_ms"] == 0 and each["other_kernels_ms"] > 0
    text = agent("score", result["run_id"], "--explain").stdout
    assert all(f"{name} " in text for name in full)
    listed = {(each["name"], each["precision"]) for each in result["score"]["workloads"]}
    assert {(each["name"], each["dtype"]) for each in explained["predictions"]} == listed


def test_what_fits_and_what_a_unit_of_work_costs(quick):
    _, _, result = quick
    fits = {(fit["model"], fit["context"]): fit for fit in result["fits"]}
    assert fits["llama-3.2-1b", 4096]["fits"] and not fits["llama-3.1-70b", 32768]["fits"]
    tokens = {row["name"]: row["samples_per_s"] for row in result["score"]["workloads"]}  # the mixed rows come last
    costs = {cost["name"]: cost for cost in result["unit_costs"]}
    assert set(costs) == set(tokens)
    decode = costs["llm_decode_b32"]
    assert decode["unit"] == "million tokens"
    assert float(decode["usd"]) == pytest.approx(0.30 / 3600 * 1e6 / tokens["llm_decode_b32"], rel=1e-4)


def test_a_changed_score_is_noticed(quick, tmp_path):
    agent, _, result = quick
    changed = json.loads(json.dumps(result))
    changed["score"]["value"] *= 2
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(changed))
    ran = agent("score", path)
    assert ran.returncode == 2 and "changed after the run" in ran.stderr


def test_a_forged_score_is_kept_and_counts_nowhere(quick, make_collector, tmp_path):
    _, _, result = quick
    collector = make_collector()
    forger = Agent(tmp_path / "forger")
    (forger.data_dir / "runs").mkdir(parents=True, mode=0o700)
    forger.data_dir.chmod(0o700)
    forged = dict(result, score=dict(result["score"], value=123456))
    canonical = json.dumps(forged, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (forger.data_dir / "runs" / (result["run_id"] + ".json")).write_text(canonical)
    assert forger("upload", "--collector", collector.url).returncode == 0

    def listed(query):
        return json.load(urllib.request.urlopen(f"{collector.url}/v1/results?{query}"))["results"]

    assert listed("") == []
    kept = listed("quarantined=true")[0]
    assert "score_differs" in kept["quarantine_reason"] and kept["score"] == result["score"]["value"]


def test_files_are_private_and_nothing_else_is_left(quick):
    agent, _, result = quick
    runs = agent.data_dir / "runs"
    assert [p.name for p in runs.iterdir()] == [result["run_id"] + ".json"]
    assert stat.S_IMODE(runs.stat().st_mode) == 0o700
    assert stat.S_IMODE((runs / (result["run_id"] + ".json")).stat().st_mode) == 0o600


def test_report_and_show(quick):
    agent, ran, result = quick
    assert "Assay Index" in ran.stdout and "per dollar" in ran.stdout and result["run_id"] in ran.stdout
    shown = agent("show", result["run_id"])
    assert shown.returncode == 0 and "Assay Index" in shown.stdout
    as_json = agent("show", result["run_id"], "--json")
    assert json.loads(as_json.stdout) == result


def test_progress_is_plain_on_a_pipe(quick):
    _, ran, _ = quick
    assert "\r" not in ran.stderr and "\033" not in ran.stderr + ran.stdout
    assert "measuring" in ran.stderr


def test_secrets_planted_in_the_surroundings_do_not_leak(agent):
    canary = "canary-7f3a91"
    environment = dict(os.environ, AWS_SECRET_ACCESS_KEY=canary, USER=canary, HOSTNAME=canary, HOME=f"/tmp/{canary}")
    ran = agent("run", "--max-seconds", "4", "--json", env=environment)
    assert ran.returncode == 4
    assert canary not in ran.stdout and canary not in agent.files()[0].read_text()
    assert f'"{os.uname().nodename}"' not in ran.stdout


def test_json_is_exactly_one_document(agent, tmp_path):
    out = tmp_path / "out.json"
    ran = agent("run", "--max-seconds", "2", "--json", "--out", out)
    assert ran.returncode == 4, ran.stderr
    assert json.loads(ran.stdout) == json.loads(out.read_text()) == agent.results()[0]
    assert agent.results()[0]["reasons"][0]["code"] == "budget"


def test_max_cost_bounds_the_time(agent):
    ran = agent("run", "--price", "3600", "--max-cost", "2.5", "--json")
    assert ran.returncode == 4
    assert json.loads(ran.stdout)["duration_s"] <= 3.0


def test_probe_shows_what_a_result_contains(agent):
    probed = json.loads(agent("probe", "--json").stdout)
    assert set(probed) == {"host", "platform", "devices", "libraries", "unknown"}
    assert probed["host"]["cpu_model"] in agent("probe").stdout


def test_schema_is_the_published_one(agent):
    from conftest import ROOT

    assert agent("schema", "result").stdout == (ROOT / "schemas/result.v1.json").read_text()
