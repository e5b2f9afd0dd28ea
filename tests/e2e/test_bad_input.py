"""Bad input: one clear line on stderr, the documented exit code, nothing lost that was measured."""

import json
import os
import subprocess

import pytest
from conftest import ROOT, TIME_SCALE, alive, children, one_line, wait_until

USAGE = [
    ([], "help"),
    (["fly"], "fly"),
    (["run", "--fast"], "--fast"),
    (["run", "--profile", "fast"], "fast"),
    (["run", "--device", "tpu"], "tpu"),
    (["run", "--device", "0,x"], "0,x"),
    (["run", "--max-seconds", "0"], "0"),
    (["run", "--max-seconds", "nan"], "nan"),
    (["run", "--price", "free"], "free"),
    (["run", "--max-cost", "1"], "--price"),
    (["run", "--out", "/nonexistent/folder/file.json"], "/nonexistent/folder"),
    (["run", "--out", "/tmp"], "folder"),
    (["run", "--out", ""], "--out"),
    (["run", "--upload", "ftp://x"], "http"),
    (["--data-dir", "", "run"], "--data-dir"),
    (["show"], "RESULT"),
    (["show", "/nonexistent.json"], "/nonexistent.json"),
    (["score", "no-such-run"], "no-such-run"),
    (["schema", "nothing"], "nothing"),
    (["price", "import", "--format", "xml", "x"], "xml"),
    (["price", "import", "--format", "seed", "/nonexistent.csv"], "/nonexistent.csv"),
    (["upload", "--collector", "ftp://x"], "http"),
]


@pytest.mark.parametrize("arguments,named", USAGE, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_usage(agent, arguments, named):
    ran = agent(*arguments)
    assert ran.returncode == 2, ran.stderr
    assert named in one_line(ran.stderr)
    assert ran.stdout == ""


VALID = (ROOT / "schemas/examples/valid/v100_simulated.json").read_text()
BROKEN = {
    "empty": b"",
    "binary": bytes(range(256)) * 10,
    "truncated": VALID[: len(VALID) // 2].encode(),
    "not_json": b"hello",
    "an_array": b"[]",
    "another_document": b'{"name": "x"}',
    "deeply_nested": b"[" * 100_000,
    "nested_object": b'{"a":' * 50_000,
    "newer_schema": VALID.replace('"schema_version": "1.0"', '"schema_version": "2.0"').encode(),
    "nan": VALID.replace('"duration_s": 60', '"duration_s": NaN').encode(),
    "duplicate_key": b'{"schema_version": "1.0", "schema_version": "1.0"}',
    "bad_utf8": b'{"schema_version": "1.0\xff"}',
    "huge_number": VALID.replace('"duration_s": 60', '"duration_s": 1e999').encode(),
    "long_string": b'{"schema_version": "' + b"1" * 100_000 + b'"}',
    "trailing_text": VALID.encode() + b"{}",
    "impossible_samples": VALID.replace('"samples_ns": [320000, 320000, 320000]', '"samples_ns": [0, 0, 0]', 1).encode(),
    "endless_samples": VALID.replace('"samples_ns": [320000, 320000, 320000]', '"samples_ns": [5e-324]', 1).encode(),
    "ok_without_samples": VALID.replace('"samples_ns": [320000, 320000, 320000]', '"samples_ns": []', 1).encode(),
    "overflowing_shape": VALID.replace('"pad": 3', '"pad": 9223372036854775807', 1).encode(),
    "wrong_type": VALID.replace('"simulated": true', '"simulated": "yes"').encode(),
}


@pytest.mark.parametrize("command", ["show", "score"])
@pytest.mark.parametrize("kind", BROKEN)
def test_broken_result_files(agent, tmp_path, kind, command):
    path = tmp_path / f"{kind}.json"
    path.write_bytes(BROKEN[kind])
    ran = agent(command, path)
    assert ran.returncode == 2
    assert str(path) in one_line(ran.stderr)
    assert ran.stdout == ""
    if kind == "newer_schema":
        assert "schema version 2.0" in ran.stderr


def test_every_truncation_of_a_result_is_refused(agent, tmp_path):
    document = json.dumps(json.loads(VALID))
    path = tmp_path / "cut.json"
    for length in range(0, len(document), len(document) // 40):
        path.write_text(document[:length])
        assert agent("show", path).returncode == 2, length


def run_unsaved(agent, *prefix, **kwargs):
    """A short run whose result cannot be saved: it must come out on stdout."""
    command = [*prefix, *agent.command("run", "--profile", "quick", "--max-seconds", "4")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, **kwargs)


def expect_printed_not_saved(ran, why):
    assert ran.returncode == 6, ran.stderr
    result = json.loads(ran.stdout)
    assert any(m["status"] == "ok" for m in result["measurements"])
    assert why in " ".join(ran.stderr.split())


def test_symlinked_data_directory(agent, tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    agent.data_dir.symlink_to(tmp_path / "real")
    expect_printed_not_saved(run_unsaved(agent), "symbolic link")
    assert list((tmp_path / "real").iterdir()) == []


def test_a_file_in_the_place_of_the_data_directory(agent):
    agent.data_dir.write_text("mine")
    expect_printed_not_saved(run_unsaved(agent), "--data-dir")
    assert agent.data_dir.read_text() == "mine"


def test_missing_home(agent):
    command = [agent.program, "run", "--profile", "quick", "--max-seconds", str(4 * TIME_SCALE)]
    environment = {"PATH": os.environ["PATH"], "HOME": "/proc/nowhere"}
    if "GPUASSAY_LIBRARY_PATH" in os.environ:
        environment["GPUASSAY_LIBRARY_PATH"] = os.environ["GPUASSAY_LIBRARY_PATH"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    expect_printed_not_saved(ran, "/proc/nowhere")


def namespace_works():
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0


needs_namespace = pytest.mark.skipif(not namespace_works(), reason="unshare -rm is not permitted here")


def in_mounted(agent, options, fill=""):
    """Runs below a tmpfs with the given mount options, in a mount namespace of its own."""
    script = f'mount -t tmpfs -o {options} none "$0" && {fill or "true"} && exec "$@"'
    return run_unsaved(agent, "unshare", "-rm", "sh", "-c", script, str(agent.data_dir))


@needs_namespace
def test_read_only_data_directory(agent):
    agent.data_dir.mkdir(mode=0o700)
    expect_printed_not_saved(in_mounted(agent, "ro,mode=700"), "Read-only file system")


@needs_namespace
def test_full_disk(agent):
    agent.data_dir.mkdir(mode=0o700)
    expect_printed_not_saved(in_mounted(agent, "size=64k,mode=700"), "64 MiB")


@needs_namespace
def test_completely_full_disk(agent):
    agent.data_dir.mkdir(mode=0o700)
    full = 'mkdir -m 700 "$0/runs" && (dd if=/dev/zero of="$0/runs/full" bs=4k 2>/dev/null; true)'
    ran = in_mounted(agent, "size=64k,mode=700", full)
    expect_printed_not_saved(ran, "NOT SAVED")


def test_unsaved_result_still_goes_to_out(agent, tmp_path):
    agent.data_dir.write_text("in the way")
    out = tmp_path / "kept.json"
    ran = agent("run", "--profile", "quick", "--max-seconds", "4", "--out", out)
    assert ran.returncode == 6
    assert any(m["status"] == "ok" for m in json.loads(out.read_text())["measurements"])


def test_without_onednn_it_says_what_to_install(agent, tmp_path):
    (tmp_path / "libdnnl.so.2").write_text("not a library")
    ran = agent("run", env=dict(os.environ, GPUASSAY_LIBRARY_PATH=str(tmp_path)))
    assert ran.returncode == 3
    assert "libdnnl" in one_line(ran.stderr)


def test_a_hanging_onednn_does_not_outlive_the_run(agent, tmp_path):
    source = tmp_path / "hang.c"
    source.write_text("#include <unistd.h>\n__attribute__((constructor)) static void hang(void) { for (;;) pause(); }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "libdnnl.so.2", source], check=True)
    run = agent.start("run", env=dict(os.environ, GPUASSAY_LIBRARY_PATH=str(tmp_path)))
    assert wait_until(lambda: children(run.pid))
    looker = children(run.pid)[0]
    run.kill()
    run.wait()
    assert wait_until(lambda: not alive(looker))


def test_a_closed_stderr_does_not_write_into_the_data(agent):
    command = ["sh", "-c", '"$@" >&- 2>&-', "sh", *agent.command("run", "--profile", "quick", "--max-seconds", "2")]
    subprocess.run(command, timeout=60)
    assert (agent.data_dir / "lock").read_bytes() == b""
    assert len(agent.results()) == 1


def test_an_nvidia_gpu_is_never_replaced_by_the_cpu(agent, tmp_path):
    device = tmp_path / "root/sys/bus/pci/devices/0000:00:1e.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x10de\n")
    (device / "device").write_text("0x1db6\n")
    (device / "class").write_text("0x030200\n")
    environment = dict(os.environ, GPUASSAY_SYSROOT=str(tmp_path / "root"))
    ran = agent("run", env=environment)
    assert ran.returncode == 3
    assert "10de:1db6" in one_line(ran.stderr) and "--device cpu" in ran.stderr
    forced = agent("run", "--device", "cpu", "--max-seconds", "2", "--json", env=environment)
    assert forced.returncode == 4
    assert json.loads(forced.stdout)["simulated"] is True, "a run on recorded files is marked"


def test_a_damaged_journal_is_set_aside_not_lost(agent):
    agent("run", "--profile", "quick", "--max-seconds", "2")
    journal = agent.data_dir / "runs" / "0190b5a4-7c1d-7b3e-9f00-0123456789ab.journal"
    journal.write_bytes(b"\x00garbage\n")
    ran = agent("run", "--profile", "quick", "--max-seconds", "2")
    assert "cannot be read" in ran.stderr
    assert journal.with_suffix(".corrupt").read_bytes() == b"\x00garbage\n"
