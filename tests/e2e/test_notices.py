"""Providers that take a machine away while it is measured: their notice ends the run with a partial result; nothing that is
no notice does."""

import json
import os
import sqlite3
import subprocess
import time

import fake_metadata as fake
import pytest
from conftest import TIME_SCALE, alive, children, on_one_cpu, wait_until
from fake_metadata import IMDS, NOTICES, SECRET, MetadataService, Reply
from platform_cases import ALIBABA, AZURE, EC2, GCE, HUAWEI, NITRO, QEMU, TENCENT
from platform_machine import assert_harmless, environment, machine
from test_platform_faults import PAGE, Trap, a_gigabyte, drip, endless_headers, hang, no_http


# By platform: firmware, the host of its service, and what that says of a spot machine.
SPOT = {
    "aws": (NITRO, IMDS, fake.aws("spot")),
    "gcp": (GCE, IMDS, fake.gcp("TRUE")),
    "azure": (AZURE, IMDS, {**fake.azure(priority="Spot"), fake.AZURE_NAME: Reply(SECRET, needs={"Metadata": "true"})}),
    "alibaba": (ALIBABA, "100.100.100.200", fake.alibaba(spot=True)),
    "tencent": (TENCENT, "metadata.tencentyun.com", fake.tencent("SPOTPAID")),
    "huawei": (HUAWEI, IMDS, fake.huawei("2", token=True)),
}


def spot_service(name):
    question, _ = NOTICES[name]
    replies = dict(SPOT[name][2])
    if name in fake.NO_NOTICES:
        replies[question] = fake.NO_NOTICES[name]
    return MetadataService(replies)


def times_asked(service, name):
    return service.paths().count(NOTICES[name][0])


def start(agent, tmp_path, firmware, ports, *arguments, variables=None):
    root = machine(tmp_path / "root", firmware, {})
    return agent.start("--verbose", "run", "--device", "cpu", *arguments, env=environment(root, ports, variables or {}),
                       stdout=subprocess.PIPE, preexec_fn=on_one_cpu)


def until_measuring(run):
    line = run.stderr.readline()
    while " TFLOP/s" not in line:
        line = run.stderr.readline()
        assert line, "the run ended early"


def check_only_known_paths(service, name):
    """The table's questions and nothing else, to this service."""
    allowed = {*SPOT[name][2], NOTICES[name][0], "PUT /meta-data/latest/api/token", fake.AZURE_OLD, fake.AZURE_NEW,
               "GET /computeMetadata/v1/instance/scheduling/provisioning-model"}
    assert set(service.paths()) <= allowed
    assert_harmless(service.requests)


@pytest.mark.parametrize("name", SPOT)
def test_a_notice_ends_the_run_with_a_partial_result(agent, make_collector, tmp_path, name):
    collector = make_collector("--accept-simulated")
    firmware, host, _ = SPOT[name]
    question, notice = NOTICES[name]
    with spot_service(name) as service:
        run = start(agent, tmp_path, firmware, {host: service.port}, "--profile", "standard", "--upload", collector.url)
        until_measuring(run)
        asked_before = times_asked(service, name)
        service.replies[question] = notice
        announced = time.monotonic()
        out, err = run.communicate(timeout=100)
        took = time.monotonic() - announced
        check_only_known_paths(service, name)
        assert asked_before >= 1 and times_asked(service, name) <= 2 + took / 5 + asked_before
    assert run.returncode == 4, out + err
    # 5 s to the next question, then 2 s; the rest is for a machine that is busy.
    assert took < 30 * TIME_SCALE
    (result,) = agent.results()
    line = f"{name} announced that this machine ends " + ("soon" if name == "gcp" else f"at {fake.TIME}")
    assert result["status"] == "partial" and result["platform"]["pricing_model"] == "spot"
    (reason,) = result["reasons"]
    assert reason["code"] == "interrupted" and reason["message"].startswith(line + "; ") and reason["device"] is None
    skipped = [m for m in result["measurements"] if m["status"] == "skipped"]
    assert skipped[-1]["reason"] == f"interrupted: {line}"
    assert any(m["status"] == "ok" for m in result["measurements"])
    assert line in " ".join(out.split()), out
    assert SECRET not in json.dumps(result) + out + err
    # The collector has it.
    assert len(agent.files(".receipt.json")) == 1
    database = sqlite3.connect(next(collector.data_dir.glob("*.db")))
    table = [t for (t,) in database.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%body_sha256%'")][0]
    assert database.execute(f"SELECT run_id FROM {table}").fetchall() == [(result["run_id"],)]


def test_a_notice_before_the_first_case_is_heard_too(agent, tmp_path):
    question, notice = NOTICES["aws"]
    with MetadataService({**fake.aws(), question: notice}) as service:
        run = start(agent, tmp_path, NITRO, {IMDS: service.port}, "--profile", "standard")
        out, err = run.communicate(timeout=100)
    assert run.returncode == 4, out + err
    (result,) = agent.results()
    assert result["reasons"][0]["message"].startswith("aws announced that this machine ends at")


def a_short_run(agent, tmp_path, firmware, ports, *arguments, variables=None):
    """Its result, which no notice has ended, and how long it took."""
    begun = time.monotonic()
    run = start(agent, tmp_path, firmware, ports, "--profile", "quick", "--max-seconds", "2", *arguments, variables=variables)
    out, err = run.communicate(timeout=100)
    took = time.monotonic() - begun
    assert run.returncode in (0, 4), out + err
    (result,) = agent.results()
    assert "interrupted" not in [reason["code"] for reason in result["reasons"]]
    return result, took


def aws_says(body, **changes):
    return Reply(body, **{**fake.AWS_WITH_TOKEN, **changes})


ACTION = {"action": "terminate", "time": fake.TIME}
TRUE = {"headers": {"Metadata-Flavor": "Google"}}
NO_NOTICE = {
    "hangs": ("aws", hang),
    "drips": ("aws", drip),
    "a gigabyte": ("aws", a_gigabyte),
    "endless headers": ("aws", endless_headers),
    "no HTTP": ("aws", no_http),
    "a portal's page": ("aws", PAGE),
    "a page that says it is JSON": ("aws", aws_says("<html>terminate</html>", kind="application/json")),
    "a notice in a page's type": ("aws", aws_says(json.dumps(ACTION), kind="text/html")),
    "an error with a notice": ("aws", aws_says(ACTION, status=500)),
    "a list": ("aws", aws_says([ACTION])),
    "a time that is none": ("aws", aws_says({**ACTION, "time": "soon"})),
    "a number for a time": ("aws", aws_says({**ACTION, "time": 1767323045})),
    "a time long past": ("aws", aws_says({**ACTION, "time": "2026-01-02T03:04:05Z"})),
    "an action of somebody": ("aws", aws_says({**ACTION, "action": "rebalance"})),
    "Google without its header": ("gcp", Reply("TRUE", **fake.GOOGLE)),
    "Google, lower case": ("gcp", Reply("true", **TRUE, **fake.GOOGLE)),
    "another machine of the scale set": ("azure", fake.azure_events(fake.azure_event(Resources=["vm7"]))),
    "a reboot": ("azure", fake.azure_events(fake.azure_event(EventType="Reboot"))),
    "events that are none": ("azure", Reply({"Events": [7, None, {"EventType": "Preempt"}]})),
    "nothing at all": ("alibaba", Reply("", needs={"X-aliyun-ecs-metadata-token": SECRET})),
    "China's time with a zone": ("tencent", Reply("2026-01-02 11:04:05Z")),
    "a time without a zone": ("huawei", Reply("2026-01-02 11:04:05")),
}


@pytest.mark.parametrize("case", NO_NOTICE)
def test_what_is_no_notice_neither_ends_nor_delays_a_run(agent, tmp_path, case):
    name, reply = NO_NOTICE[case]
    firmware, host, replies = SPOT[name]
    with MetadataService({**replies, NOTICES[name][0]: reply}) as service:
        _, took = a_short_run(agent, tmp_path, firmware, {host: service.port})
        assert times_asked(service, name) >= 1
        check_only_known_paths(service, name)
    assert took < 20 * TIME_SCALE  # 2 s, and a machine that is busy


def test_a_notice_elsewhere_is_not_fetched(agent, tmp_path):
    trap = Trap()
    away = Reply("", status=302, headers={"Location": f"http://127.0.0.1:{trap.port}/latest/meta-data/spot/instance-action"})
    variables = {"http_proxy": f"http://127.0.0.1:{trap.port}", "HTTP_PROXY": f"http://127.0.0.1:{trap.port}"}
    with MetadataService({**fake.aws(), NOTICES["aws"][0]: away}) as service:
        a_short_run(agent, tmp_path, NITRO, {IMDS: service.port}, variables=variables)
        assert times_asked(service, "aws") >= 1
    assert trap.visits == 0


def test_a_service_that_turns_out_to_be_another_providers(agent, tmp_path):
    question, notice = NOTICES["aws"]
    with MetadataService({**fake.aws(domain="example.org"), question: notice}) as service:
        result, _ = a_short_run(agent, tmp_path, EC2, {IMDS: service.port})
        assert times_asked(service, "aws") >= 1
    assert result["platform"]["instance_type"] is None


NEVER_ASKED = {
    "on demand": (NITRO, fake.aws("on-demand"), {}, []),
    "on demand, as the user says": (NITRO, fake.aws("spot"), {"GPUASSAY_PRICING_MODEL": "on_demand"}, []),
    "offline": (NITRO, fake.aws("spot"), {}, ["--offline"]),
    "somebody's machine with EC2's tree": (QEMU, fake.aws(domain="novalocal"), {}, []),
    "a marketplace's container on Amazon": (NITRO, fake.aws("spot"), {"VAST_CONTAINERLABEL": "C.1"}, []),
}


@pytest.mark.parametrize("case", NEVER_ASKED)
def test_whom_nobody_asks_for_notices(agent, tmp_path, case):
    firmware, replies, variables, arguments = NEVER_ASKED[case]
    question, notice = NOTICES["aws"]
    with MetadataService({**replies, question: notice}) as service:
        a_short_run(agent, tmp_path, firmware, {IMDS: service.port}, *arguments, variables=variables)
        assert question not in service.paths()


def test_probe_waits_for_nothing_and_asks_for_no_notices(agent, tmp_path):
    root = machine(tmp_path / "root", NITRO, {})
    question, notice = NOTICES["aws"]
    with MetadataService({**fake.aws(), question: notice}) as service:
        assert agent("probe", "--json", env=environment(root, {IMDS: service.port}, {})).returncode == 0
        assert service.paths() and question not in service.paths()


def watcher_of(run, service):
    """The process that asks: the first of the children there are once a case has been measured."""
    until_measuring(run)
    assert wait_until(lambda: times_asked(service, "aws") >= 1)
    return children(run.pid)[0]


def test_the_watcher_goes_with_the_run_however_that_ends(agent, tmp_path):
    with spot_service("aws") as service:
        run = start(agent, tmp_path, NITRO, {IMDS: service.port}, "--profile", "standard")
        watcher_of(run, service)
        there = children(run.pid)
        assert len(there) == 2 and all(alive(child) for child in there), "one that asks, one that measures, no zombie"
        run.kill()
        run.communicate(timeout=30)
        assert wait_until(lambda: not any(alive(child) for child in there))
        run = start(agent, tmp_path, NITRO, {IMDS: service.port}, "--profile", "standard")
        watcher = watcher_of(run, service)
        run.terminate()
        run.communicate(timeout=30)
        assert run.returncode == 4 and not alive(watcher)
    assert "the run was asked to stop" in agent.results()[-1]["reasons"][0]["message"]


def test_a_watcher_that_dies_costs_nothing_but_notices(agent, tmp_path):
    with spot_service("aws") as service:
        run = start(agent, tmp_path, NITRO, {IMDS: service.port}, "--profile", "quick", "--max-seconds", "8")
        os.kill(watcher_of(run, service), 9)
        out, err = run.communicate(timeout=100)
    assert run.returncode in (0, 4), out + err
    (result,) = agent.results()
    assert "interrupted" not in [reason["code"] for reason in result["reasons"]]
