"""One run of several processes, as torchrun, mpirun and srun start them: over loopback, on fake GPUs and a fake NCCL that
really exchanges what is summed."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from conftest import BIN, ROOT, TIME_SCALE, alive, children

SECONDS = 40 * TIME_SCALE


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def command(agent, gpu, *arguments, seconds=SECONDS, faults=()):
    flags = [word for fault in faults for word in ("--fault", fault)]
    run = [ROOT / "scripts/with_fake_gpu", gpu, *flags, "--", agent.program, "--data-dir", agent.data_dir]
    return [str(word) for word in [*run, "run", "--profile", "quick", "--max-seconds", seconds, *arguments]]


def environment(**variables):
    own = {name: value for name, value in os.environ.items() if not name.startswith("GPUASSAY_FAKE")}
    if (BIN / "fake_gpu").is_dir():
        own["GPUASSAY_FAKE_GPU_DIR"] = str(BIN / "fake_gpu")
    return own | {name: str(value) for name, value in variables.items()}


class Ranks:
    """The processes of one launch, with the variables of torchrun."""

    def __init__(self, agent, gpu, count, ranks=None, seconds=SECONDS, faults=(), own=None):
        """`own`: further variables of single ranks."""
        self.port = free_port()
        self.processes = {}
        for rank in range(count) if ranks is None else ranks:
            variables = environment(
                RANK=rank, WORLD_SIZE=count, LOCAL_RANK=rank, MASTER_ADDR="127.0.0.1", MASTER_PORT=self.port,
                **(own or {}).get(rank, {}),
            )
            arguments = ["--json"] if rank == 0 else []
            line = command(agent, gpu, *arguments, seconds=seconds, faults=faults)
            self.processes[rank] = subprocess.Popen(
                line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
            )

    def end(self):
        ended = {rank: (*process.communicate(timeout=200), process.returncode) for rank, process in self.processes.items()}
        result = json.loads(ended[0][0]) if 0 in ended and ended[0][0] else None
        return result, {rank: code for rank, (_, _, code) in ended.items()}, {rank: err for rank, (_, err, _) in ended.items()}


def collectives(result):
    return [m for m in result["measurements"] if m["workload"] == "collective"]


def check_group(result, count):
    cases = collectives(result)
    assert [m["params"]["mode"] for m in cases] == ["bandwidth", "graph"]
    for m in cases:
        assert m["status"] == "ok" and m["params"]["ranks"] == count and m["device"] is None
        assert m["verification"]["passed"] and m["verification"]["positions"] >= 64 * count
    ranks = [rank for node in result["nodes"] for rank in node["ranks"]]
    assert [rank["rank"] for rank in ranks] == list(range(count))
    assert all(rank["device"]["kind"] == "cuda" for rank in ranks)
    for rank in ranks:
        assert {figure["name"] for figure in rank["figures"].values()} == {"achieved_tflop_per_s", "achieved_gb_per_s"}
    assert result["summary"]["instance"]["collective_busbw_gb_per_s"]["all_reduce"]["burst"] > 0
    assert f'"{socket.gethostname()}"' not in json.dumps(result) and "127.0.0.1" not in json.dumps(result)


@pytest.mark.parametrize("count", [2, 4])
def test_processes_with_torchruns_variables_give_one_result(agent, count):
    result, codes, errors = Ranks(agent, f"T4*{count}", count).end()
    assert codes == {rank: 0 for rank in range(count)}, errors
    assert result == agent.results()[0] and len(agent.results()) == 1 and result["status"] == "complete"
    check_group(result, count)
    assert len(result["nodes"]) == 1 and len(result["devices"]) == 1
    for rank in range(1, count):
        assert f"rank {rank} of {count}: the result is with rank 0" in errors[rank]


@pytest.mark.skipif(shutil.which("mpirun") is None, reason="mpirun (openmpi-bin) is not installed; scripts/setup test does")
def test_mpirun_starts_it(agent):
    port = free_port()
    variables = environment(OMPI_ALLOW_RUN_AS_ROOT=1, OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1, MASTER_PORT=port)
    launch = ["mpirun", "-np", "2", "--oversubscribe", "-x", "MASTER_PORT", *command(agent, "T4*2")]
    ran = subprocess.run(launch, env=variables, capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL)
    assert ran.returncode == 0, ran.stderr
    [result] = agent.results()
    check_group(result, 2)
    assert "busbw of 2 GPUs" in ran.stdout and "ranks" in ran.stdout


def test_a_rank_that_never_comes_is_named_and_the_rest_is_saved(agent):
    ranks = Ranks(agent, "T4*3", 3, ranks=[0, 2], seconds=12 * TIME_SCALE)
    result, codes, errors = ranks.end()
    assert codes == {0: 4, 2: 4}, errors
    [reason] = result["reasons"]
    assert reason["code"] == "rank_missing" and "of 3 ranks 1 did not come within" in reason["message"]
    assert all(m["status"] == "skipped" and m["reason"].startswith("rank_missing") for m in collectives(result))
    assert result["measurements"][0]["status"] == "ok" and result in agent.results()


def test_without_rank_0_the_others_end_in_time(agent):
    started = time.monotonic()
    _, codes, errors = Ranks(agent, "T4*2", 2, ranks=[1], seconds=1).end()
    assert codes == {1: 4} and "rank 0 did not answer at port" in errors[1]
    assert time.monotonic() - started < 100
    assert not agent.results()


def test_a_rank_that_is_killed_costs_the_group_not_the_result(agent):
    # Rank 1's GPU hangs in the first collective, so that there is time to kill it there.
    ranks = Ranks(agent, "T4*2", 2, faults=["hang:1:collective"])
    assert any("measuring" in line for line in ranks.processes[0].stderr)
    [victim] = children(ranks.processes[1].pid)  # below with_fake_gpu
    deadline = time.monotonic() + 60
    while not children(victim) and time.monotonic() < deadline:
        time.sleep(0.1)
    [worker] = children(victim)
    os.kill(victim, signal.SIGKILL)
    result, codes, errors = ranks.end()
    assert codes[0] == 4, errors
    [reason] = result["reasons"]
    assert reason["code"] == "rank_lost" and "rank 1 is gone" in reason["message"]
    assert result in agent.results()
    assert result["measurements"][0]["status"] == "ok", result["measurements"][0]["reason"]
    assert all(m["metric"] is None for m in collectives(result))
    deadline = time.monotonic() + 10
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(worker), "the measuring process outlived its parent"


def test_a_gpu_that_hangs_in_a_collective_ends_the_group_in_time(agent):
    result, codes, errors = Ranks(agent, "T4*2", 2, faults=["hang:1:collective"], seconds=20).end()
    assert codes == {0: 4, 1: 4}, errors
    assert [m["status"] for m in collectives(result)] == ["skipped", "skipped"] or collectives(result)[0]["status"] == "failed"
    assert result["reasons"] and result in agent.results()


def test_a_wrong_sum_on_another_rank_is_wrong_for_all(agent):
    result, codes, errors = Ranks(agent, "T4*2", 2, faults=["wrong:1:collective"]).end()
    assert codes == {0: 5, 1: 5}, errors
    assert all(m["status"] == "wrong_result" and "rank 1" in m["reason"] for m in collectives(result))


def test_a_rank_without_a_gpu_says_why(agent):
    # The second process asks for a GPU that is not there.
    result, codes, errors = Ranks(agent, "T4,T4", 3).end()
    assert codes[0] == 4, errors
    assert any("rank 2: torchrun gives local rank 2 the GPU of that number" in reason["message"] for reason in result["reasons"])


def test_strangers_are_not_taken_for_ranks(agent):
    ranks = Ranks(agent, "T4*2", 2)
    hellos = [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 70000, b'{"rank":1,"ranks":2}\n', b'{"protocol":"gpuassay group 1","rank":1}\n', b"[" * 50000]
    for hello in hellos:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                stranger = socket.create_connection(("127.0.0.1", ranks.port), timeout=5)
                break
            except OSError:
                time.sleep(0.05)
        try:
            stranger.sendall(hello)
        except OSError:
            pass  # it was closed at once
    result, codes, errors = ranks.end()
    assert codes == {0: 0, 1: 0}, errors
    check_group(result, 2)


def talk_to_rank_0(port, hello):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
                line.sendall((json.dumps(hello) + "\n").encode())
                return json.loads(line.makefile().readline())
        except (ConnectionRefusedError, ConnectionResetError):
            time.sleep(0.05)
    raise AssertionError("rank 0 does not listen")


def test_another_version_is_refused_in_plain_words(agent):
    ranks = Ranks(agent, "T4*2", 2, ranks=[0])
    host = {"cpu_model": None, "logical_cpus": None, "effective_cpus": None, "memory_bytes": None, "os": None, "kernel": None}
    host |= {"virtualization": None, "container": None}
    hello = {"protocol": "gpuassay group 1", "rank": 1, "ranks": 2, "job": "", "version": "0.0.9", "commit": "f" * 40}
    hello |= {"machine": "m", "free_bytes": 1, "problem": "none", "node": {"host": host, "ranks": []}}
    answer = talk_to_rank_0(ranks.port, hello)
    assert answer["refused"].startswith("rank 1 runs gpuassay 0.0.9 (ffffffffff), rank 0 runs ")
    result, codes, _ = ranks.end()
    assert codes == {0: 4} and [reason["code"] for reason in result["reasons"]] == ["version_differs"]


TOKEN = "8f2d7c51e09b44aa93d1-not-to-be-seen"


def test_ranks_that_know_the_same_token_measure_and_never_show_it(agent):
    ranks = Ranks(agent, "T4*2", 2, own={rank: {"GPUASSAY_GROUP_TOKEN": TOKEN} for rank in (0, 1)})
    result, codes, errors = ranks.end()
    assert codes == {0: 0, 1: 0}, errors
    check_group(result, 2)
    seen = [json.dumps(result), *errors.values(), *(path.read_text(errors="replace") for path in agent.data_dir.rglob("*") if path.is_file())]
    assert not [text for text in seen if TOKEN in text]


@pytest.mark.parametrize(
    "lead, other, line",
    [
        (TOKEN, TOKEN + "x", "what answers at the port of rank 0 has another GPUASSAY_GROUP_TOKEN"),
        (TOKEN, None, "a rank has no GPUASSAY_GROUP_TOKEN or another than rank 0"),
        (None, TOKEN, "rank 0 has no GPUASSAY_GROUP_TOKEN, the rank that connected has"),
    ],
)
def test_a_rank_with_another_token_is_refused_in_one_line(agent, lead, other, line):
    own = {rank: {"GPUASSAY_GROUP_TOKEN": token} for rank, token in ((0, lead), (1, other)) if token}
    result, codes, errors = Ranks(agent, "T4*2", 2, seconds=12 * TIME_SCALE, own=own).end()
    assert codes == {0: 4, 1: 2}, errors
    assert line in errors[1] and errors[1].count("\n") == 1, errors[1]
    assert [reason["code"] for reason in result["reasons"]] == ["rank_missing"]
    assert TOKEN not in json.dumps(result) + errors[0] + errors[1]


def boot_of(tmp_path, name):
    """The system files of a machine that was booted by itself."""
    file = tmp_path / name / "proc/sys/kernel/random/boot_id"
    file.parent.mkdir(parents=True)
    file.write_text(f"{name}\n")
    return {"GPUASSAY_SYSROOT": tmp_path / name}


def test_ranks_of_two_machines_are_two_nodes(agent, tmp_path):
    first, second = boot_of(tmp_path, "first"), boot_of(tmp_path, "second")
    own = {0: first, 1: second, 2: second, 3: first}
    result, codes, errors = Ranks(agent, "T4*4", 4, own=own).end()
    assert codes == {rank: 0 for rank in range(4)}, errors
    assert [[rank["rank"] for rank in node["ranks"]] for node in result["nodes"]] == [[0, 3], [1, 2]]
    assert "4 on 2 machines" in errors[0]


def test_rank_0_that_is_told_to_stop_while_it_waits_says_so_at_once(agent):
    ranks = Ranks(agent, "T4*2", 2, ranks=[0], seconds=200)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            waits = socket.create_connection(("127.0.0.1", ranks.port), timeout=5)
            break
        except OSError:
            time.sleep(0.05)
    waits.sendall(b"x\n")
    assert waits.recv(1) == b"", "it listens to who comes, so it waits"
    [lead] = children(ranks.processes[0].pid)
    told = time.monotonic()
    os.kill(lead, signal.SIGTERM)
    out, err = ranks.processes[0].communicate(timeout=30)
    assert time.monotonic() - told < 2 * TIME_SCALE
    assert err.splitlines()[-1] == "gpuassay: asked to stop before anything was measured" and out == ""
    assert ranks.processes[0].returncode == 128 + signal.SIGTERM and not agent.results()


def test_incomplete_variables_are_a_usage_error(agent):
    for missing in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        variables = {"RANK": 0, "WORLD_SIZE": 2, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 1}
        del variables[missing]
        ran = subprocess.run(command(agent, "T4"), env=environment(**variables), capture_output=True, text=True, timeout=60)
        assert ran.returncode == 2 and missing in ran.stderr and ran.stderr.count("\n") == 1
    for option in (["--repeat", "2"], ["--once", "boot"], ["--soak", "10"], ["--device", "0"]):
        variables = environment(RANK=0, WORLD_SIZE=2, LOCAL_RANK=0, MASTER_ADDR="127.0.0.1", MASTER_PORT=free_port())
        ran = subprocess.run(command(agent, "T4", *option), env=variables, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 2 and option[0] in ran.stderr
    alone = subprocess.run(
        command(agent, "T4", "--json"), env=environment(WORLD_SIZE=1), capture_output=True, text=True, timeout=200
    )
    assert alone.returncode == 0 and "nodes" not in json.loads(alone.stdout)
