"""Instances with several GPUs: each alone, all together, and what is said of one that is not like the others."""

import json
import re
import subprocess

import pytest
from fake_gpu import on_gpus
from test_gpu import on_fake


def measured(agent, gpus, *arguments, **how):
    ran = on_fake(agent, gpus, *arguments, profile="standard", seconds=150, **how)
    return ran, json.loads(ran.stdout)


def under_load(result, device=None):
    return [m for m in result["measurements"] if m["regime"] == "sustained" and device in (None, m["device"])]


def test_one_slow_gpu_among_eight_is_named(agent, tmp_path):
    ran, result = measured(agent, "V100-SXM2-16GB*8", faults=["slow:5:0.7"])
    assert ran.returncode == 0, ran.stderr
    assert [v["device"] for v in result["verdicts"] if v["code"] == "slower_than_twin"] == [5]
    loads = under_load(result)
    assert {m["device"] for m in loads} == set(range(8))
    assert all(m["status"] == "ok" for m in loads)
    rows = {row["figure"]: row for row in result["summary"]["across_devices"]}
    for figure in ("gemm_tflop_per_s.fp16.burst", "gemm_tflop_per_s.fp16.sustained", "bandwidth_gb_per_s.triad.sustained"):
        row = rows[figure]
        assert row["slowest_device"] == 5
        assert 0.65 < row["min"] / row["median"] < 0.75 and row["spread"] > 0.25
        assert row["max"] / row["median"] < 1.02
    name, kernel, regime = "gemm_tflop_per_s.fp16.sustained".split(".")
    assert result["summary"]["instance"][name][kernel][regime] == pytest.approx(
        sum(device[name][kernel][regime] for device in result["summary"]["devices"]), rel=1e-4
    )
    assert re.search(r"slowest: device 5", ran.stderr)
    assert "all 8 together" in ran.stderr
    assert len(ran.stdout) < 400_000
    assert result["duration_s"] < 150
    check_together(agent, result, tmp_path, 8)
    for name, row in together(result).items():
        if name in TRAINING:
            # All wait for the slow one: 8 * 0.7 of the 7.7 that each does alone, and the exchange.
            assert row["slowest_device"] == 5
            assert 0.7 < row["scaling_efficiency"] / (1 - row["exposed_communication_share"]) * 7.7 / 8 < 0.8, row
        else:
            assert row["scaling_efficiency"] > 0.95


TRAINING = {"resnet50_train", "bert_large_train", "gpt_train"}


def together(result, precision="fp16"):
    """What all GPUs do together in mixed precision, by network."""
    return {row["name"]: row for row in result["summary"]["instance"]["workloads"] if row["precision"] == precision}


def alone(result, precision="fp16"):
    return {row["name"]: row for row in result["score"]["workloads"] if row["precision"] == precision}


def explained(agent, result, tmp_path):
    document = tmp_path / "result.json"
    document.write_text(json.dumps(result))
    as_json = agent("score", document, "--explain", "--json")
    assert as_json.returncode == 0, as_json.stderr
    as_text = agent("score", document, "--explain")
    assert as_text.returncode == 0, as_text.stderr
    rows = {(row["name"], row["dtype"]): row for row in json.loads(as_json.stdout)["instance"]}
    return rows, as_text.stdout


def check_together(agent, result, tmp_path, gpus):
    """Every figure follows from the parts that score --explain has."""
    rows, text = explained(agent, result, tmp_path)
    assert set(rows) == {(row["name"], row["precision"]) for row in result["score"]["workloads"]}
    for stored in result["summary"]["instance"]["workloads"]:
        row = rows[stored["name"], stored["precision"]]
        assert "reason" not in stored and row["reason"] is None
        assert stored["low"] < stored["samples_per_s"] < stored["high"]
        assert all(stored[name] == row[name] for name in ("samples_per_s", "low", "high", "scaling_efficiency"))
        of_score = alone(result, stored["precision"])[stored["name"]]["samples_per_s"]
        assert stored["scaling_efficiency"] == pytest.approx(stored["samples_per_s"] / of_score, rel=1e-4)
        assert ("step" in row) == (stored["name"] in TRAINING) == (stored["class"] == "train")
        if "step" not in row:
            continue
        step = row["step"]
        hidden = min(step["buckets_before_last_ms"], step["backward_ms"])
        exchange = step["buckets_before_last_ms"] + step["last_bucket_ms"]
        assert step["exposed_ms"] == pytest.approx(exchange - hidden, rel=1e-4)
        assert step["step_ms"] == pytest.approx(step["slowest_under_load_ms"] + step["exposed_ms"], rel=1e-4)
        assert stored["samples_per_s"] == pytest.approx(gpus * step["batch"] * 1e3 / step["step_ms"], rel=1e-4)
        assert stored["exposed_communication_share"] == pytest.approx(step["exposed_ms"] / step["step_ms"], rel=1e-3)
        algbw = step["gradient_bytes"] / exchange / 1e6
        assert step["busbw_gb_per_s"] == pytest.approx(algbw * 2 * (gpus - 1) / gpus, rel=1e-3)
        assert f"{gpus} x {step['batch']} / (" in text
    return rows


def test_two_gpus_train_together_by_what_was_measured_of_both(agent, tmp_path):
    ran, result = measured(agent, "V100-SXM2-16GB*2")
    assert ran.returncode == 0, ran.stderr
    check_together(agent, result, tmp_path, 2)
    assert set(together(result)) == set(alone(result))
    for row in together(result).values():
        assert 0.8 < row["scaling_efficiency"] < 1.02, row
    best = result["summary"]["instance"]["collective_busbw_gb_per_s"]["all_reduce"]["burst"]
    rows, _ = explained(agent, result, tmp_path)
    assert all(0.5 * best < row["step"]["busbw_gb_per_s"] <= 1.01 * best for row in rows.values() if "step" in row)
    assert re.search(r"together +resnet50_train fp16:", ran.stderr)
    assert "waiting for gradients" in ran.stderr


def test_without_nccl_training_together_is_unknown_and_inference_is_not(agent):
    ran, result = measured(agent, "V100-SXM2-16GB*2", faults=["no_nccl"])
    assert ran.returncode == 0, ran.stderr
    for name, row in together(result).items():
        if name in TRAINING:
            assert row["samples_per_s"] is None and row["scaling_efficiency"] is None and "NCCL" in row["reason"]
        else:
            assert row["samples_per_s"] > 0 and "reason" not in row
    assert "training unknown: no all-reduce among all 2 GPUs" in re.sub(r"\s+", " ", ran.stderr)


def test_what_was_not_kept_under_load_says_nothing_of_all_together(agent):
    ran = on_fake(agent, "V100-SXM2-16GB*2", profile="quick", seconds=60)
    rows = json.loads(ran.stdout)["summary"]["instance"]["workloads"]
    assert rows and all(row["samples_per_s"] is None and "under load" in row["reason"] for row in rows)
    ran = on_fake(agent, "V100-SXM2-16GB", profile="quick", seconds=60)
    assert "workloads" not in json.loads(ran.stdout)["summary"]["instance"], "one GPU"


def test_different_gpus_in_one_machine_are_each_measured(agent):
    ran, result = measured(agent, "V100-SXM2-16GB,T4")
    assert ran.returncode == 0, ran.stderr
    rows = result["summary"]["instance"]["workloads"]
    assert rows and all(row["samples_per_s"] is None and "one kind" in row["reason"] for row in rows)
    assert result["status"] == "complete"
    assert [device["model"] for device in result["devices"]] == ["Tesla V100", "Tesla T4"]
    assert "slower_than_twin" not in {v["code"] for v in result["verdicts"]}, "they are no twins"
    for device in (0, 1):
        assert len(under_load(result, device)) == 4


def test_a_gpu_that_hangs_under_load_is_named_and_the_others_go_on(agent):
    ran, result = measured(agent, "V100-SXM2-16GB*3", "--soak", "10", faults=["hang:1"])
    assert ran.returncode == 4, ran.stderr
    assert {m["device"] for m in under_load(result) if m["status"] == "ok"} >= {0, 2}
    assert {r["device"] for r in result["reasons"] if r["code"] == "worker_hung"} == {1}
    assert all(m["status"] == "ok" for m in result["measurements"] if m["device"] == 0)


def test_a_gpu_that_gets_hot_keeps_less_than_its_twins(agent):
    ran, result = measured(agent, "T4*2", "--soak", "40", faults=["overheat:1"])
    assert ran.returncode == 0, ran.stderr
    falls = [v for v in result["verdicts"] if v["code"] == "falls_under_load"]
    assert {v["device"] for v in falls} == {1}, result["verdicts"]
    assert "all GPUs together" in falls[0]["message"]


def test_a_slice_of_a_card_is_a_device_of_its_own(agent):
    ran, result = measured(agent, "A100-SXM4-40GB*2", faults=["mig:1:3"])
    assert ran.returncode == 0, ran.stderr
    assert result["devices"][0]["mig"] is None and result["devices"][1]["mig"]
    assert result["devices"][1]["sm_count"] < result["devices"][0]["sm_count"]
    assert "slower_than_twin" not in {v["code"] for v in result["verdicts"]}, "a slice is no twin of a card"
    assert len(under_load(result, 1)) == 4


def copies(result):
    return {(m["id"], m["device"]): m for m in result["measurements"] if m["params"].get("peer") is not None}


def test_every_pair_copies_both_ways_and_is_verified(agent):
    ran, result = measured(agent, "V100-SXM2-16GB*2")
    assert ran.returncode == 0, ran.stderr
    found = copies(result)
    ways = [f"bandwidth/p2p_{way}/{engine}" for way in ("read", "write") for engine in ("ce", "sm")]
    assert {(f"{way}/peer{1 - device}", device) for way in ways for device in (0, 1)} <= set(found)
    assert all(m["status"] == "ok" and m["verification"]["positions"] >= 64 for m in found.values())
    assert {m["algorithm"] for m in found.values()} == {"peer access"}
    write = found["bandwidth/p2p_write/ce/peer1", 0]["metric"]["value"]
    both = found["bandwidth/p2p_bidirectional/ce/peer1", 0]["metric"]["value"]
    assert both / write == pytest.approx(2, rel=0.1), "both ways added"
    instance = result["summary"]["instance"]["bandwidth_gb_per_s"]
    assert instance["p2p_write_ce"]["burst"] == pytest.approx(write, rel=0.05)
    assert "peers" in ran.stderr


def probed(agent, gpus, *faults):
    line, environment = on_gpus(gpus, agent.program, "--data-dir", agent.data_dir, "probe", "--json", faults=faults)
    ran = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_the_path_between_each_two_gpus_is_named(agent):
    ran, result = measured(agent, "A40*4")
    assert ran.returncode == 0, ran.stderr
    paths = {(link["device"], link["peer"]): link["path"] for link in result["links"]}
    assert paths == {(0, 1): "NV4", (2, 3): "NV4", (0, 2): "NODE", (0, 3): "NODE", (1, 2): "NODE", (1, 3): "NODE"}
    assert {link["pcie"] for link in result["links"]} == {"single_switch", "node"}
    assert {link["peer_access"] for link in result["links"]} == {"ok"}
    assert re.search(r"links +4 pairs NODE +2 pairs NV4 +NUMA node 0: GPUs 0 1 2 3", ran.stderr), ran.stderr
    assert re.search(r"slowest: \d and \d, (NV4|NODE), peer access", ran.stderr)
    assert not [entry for entry in result["unknown"] if entry["path"] == "/links"]


def test_numa_nodes_and_links_through_switches(agent):
    found = probed(agent, "H100-SXM5-80GB*8")
    assert [device["numa_node"] for device in found["devices"]] == [0] * 4 + [1] * 4
    assert {link["path"] for link in found["links"]} == {"NV18"} and len(found["links"]) == 28
    assert {link["pcie"] for link in found["links"] if (link["device"], link["peer"]) == (3, 4)} == {"system"}


@pytest.mark.parametrize("fault", ["nvml_denied", "odd_links", "vgpu"])
def test_what_nvml_does_not_tell_of_links_is_null_with_a_reason(agent, fault):
    found = probed(agent, "V100-SXM2-16GB*2", fault)
    assert len(found["links"]) == 1 and found["links"][0]["path"] is None
    reasons = {entry["reason"] for entry in found["unknown"] if entry["path"] == "/links"}
    nulls = [name for name in ("nvlinks", "pcie", "peer_access") if found["links"][0][name] is None]
    assert nulls and {reason.split()[0] for reason in reasons} == set(nulls)


def test_of_chosen_gpus_only_their_links_are_told(agent):
    ran = on_fake(agent, "V100-SXM2-16GB*3", "--device", "0,2", profile="quick", seconds=60)
    assert [(link["device"], link["peer"]) for link in json.loads(ran.stdout)["links"]] == [(0, 2)]


def test_without_peer_access_copies_go_through_the_host(agent):
    ran, result = measured(agent, "V100-SXM2-16GB*2", faults=["no_peer:1"])
    assert ran.returncode == 0, ran.stderr
    for (name, _), m in copies(result).items():
        if "/sm/" in name:
            assert m["status"] == "skipped" and "no peer access" in m["reason"]
        else:
            assert m["status"] == "ok" and m["algorithm"] == "no peer access: through the host"


def test_copies_that_arrive_wrong_are_wrong_results(agent):
    ran, result = measured(agent, "V100-SXM2-16GB*2", faults=["wrong:0:copy"])
    assert ran.returncode == 5, ran.stderr
    by_engine = [m for (name, device), m in copies(result).items() if "/ce/" in name and device == 0]
    assert by_engine and all(m["status"] == "wrong_result" for m in by_engine)
