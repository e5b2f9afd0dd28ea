"""gpuassay doctor: what is missing, the exact command to get it, and the exit code a run would have."""

import json
import os
import shutil
import subprocess

import pytest
from conftest import BIN, ROOT

MACHINES = ROOT / "tests/support/machines"
T4, K80, B200 = "0x1eb8", "0x102d", "0x2901"


def environment(**more):
    """This process' own, without what would bring a GPU library in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GPUASSAY_FAKE", "LD_LIBRARY"))}
    fakes = BIN / "fake_gpu"
    if fakes.is_dir():
        kept["GPUASSAY_FAKE_GPU_DIR"] = str(fakes)
    return {**kept, **more}


def recorded(tmp_path, machine, *pci_devices, nodes=()):
    """A copy of a recorded machine with NVIDIA GPUs on its PCI bus and these files in /dev."""
    root = tmp_path / "root"
    shutil.copytree(MACHINES / machine, root, symlinks=True)
    for number, device in enumerate(pci_devices):
        folder = root / f"sys/bus/pci/devices/0000:00:{number + 16:02x}.0"
        folder.mkdir(parents=True)
        (folder / "vendor").write_text("0x10de\n")
        (folder / "device").write_text(device + "\n")
        (folder / "class").write_text("0x030200\n")
    for node in nodes:
        (root / "dev").mkdir(exist_ok=True)
        (root / "dev" / node).write_text("")
    return root


def diagnosis(ran):
    """The one document on stdout; its exit code is the program's."""
    document = json.loads(ran.stdout)
    assert ran.stdout.count("\n") == 1
    assert document["exit_code"] == ran.returncode, ran.stderr
    assert set(document) == {"checks", "measures", "exit_code", "simulated"}
    for check in document["checks"]:
        assert set(check) == {"name", "state", "what", "advice", "command"}
        assert check["state"] in ("ok", "missing", "broken", "none") and check["what"]
    return document, {check["name"]: check for check in document["checks"]}


def on_root(agent, root):
    return diagnosis(agent("doctor", "--json", env=environment(GPUASSAY_SYSROOT=str(root))))


def on_fake(agent, *arguments, json_wanted=True):
    command = [ROOT / "scripts/with_fake_gpu", *arguments, "--", *agent.command("doctor", *(["--json"] * json_wanted))]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL, env=environment())


def test_a_machine_without_a_gpu(agent):
    document, checks = on_root(agent, MACHINES / "kvm_vm")
    assert document["exit_code"] == 0 and document["measures"] == "cpu" and document["simulated"]
    assert checks["gpu"]["state"] == "none"
    assert checks["onednn"]["state"] == checks["data_dir"]["state"] == "ok"
    assert "driver" not in checks and "cublas" not in checks


def test_this_machine_in_words(agent):
    ran = agent("doctor")
    assert ran.stderr == ""
    assert "onednn" in ran.stdout and "data_dir" in ran.stdout and str(agent.data_dir) in ran.stdout
    assert ran.returncode in (0, 3)


@pytest.mark.parametrize("device,command", [(T4, "nvidia-driver"), (K80, "470"), (B200, "nvidia-open")])
def test_a_gpu_without_a_driver(agent, tmp_path, device, command):
    root = recorded(tmp_path, "kvm_vm", device)
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    document, checks = on_root(agent, root)
    assert document["exit_code"] == 3 and document["measures"] is None
    assert checks["gpu"]["state"] == "ok"
    assert checks["driver"]["state"] == checks["device_files"]["state"] == "missing"
    assert command in checks["driver"]["command"] and checks["driver"]["command"].startswith("sudo apt-get install")


def test_a_container_that_was_not_given_its_gpu(agent, tmp_path):
    _, checks = on_root(agent, recorded(tmp_path, "docker_cgroup_v2", T4))
    assert checks["device_files"]["command"] == checks["driver"]["command"] == "docker run --gpus all IMAGE"


def test_device_files_that_cannot_be_opened(agent, tmp_path):
    root = recorded(tmp_path, "kvm_vm", T4, nodes=("nvidiactl", "nvidia-uvm"))
    (root / "dev/nvidia0").mkdir()  # whoever runs this test cannot open it for writing
    _, checks = on_root(agent, root)
    assert checks["device_files"]["state"] == "broken"
    assert "/dev/nvidia0: " in checks["device_files"]["what"] and "chmod" in checks["device_files"]["command"]


def test_a_data_directory_that_cannot_be_used(agent):
    agent.data_dir.write_text("mine")
    document, checks = on_root(agent, MACHINES / "kvm_vm")
    assert document["exit_code"] == 6
    assert checks["data_dir"]["state"] == "broken" and "--data-dir" in checks["data_dir"]["advice"]


HEALTHY = ["K80 (one GK210)", "P100-PCIE-16GB", "V100-SXM2-16GB", "T4", "A100-SXM4-40GB", "H200-SXM", "RTX 5090"]


@pytest.mark.parametrize("profile", HEALTHY)
def test_a_healthy_gpu_needs_nothing(agent, profile):
    document, checks = diagnosis(on_fake(agent, profile))
    assert document["exit_code"] == 0 and document["measures"] == "cuda" and document["simulated"]
    assert {check["state"] for check in checks.values()} == {"ok"}, checks
    assert "cublas" in checks and "cudnn" in checks


@pytest.mark.parametrize(
    "profile,driver,cublas,cudnn",
    [
        ("K80 (one GK210)", "470.256.02", "nvidia-cublas-cu11==11.11.3.6", "nvidia-cudnn-cu11==8.5.0.96"),
        ("V100-SXM2-16GB", "580.82.07", "nvidia-cublas-cu12==12.9.1.4", "nvidia-cudnn-cu12==9.10.2.21"),
        ("T4", "550.54.15", "nvidia-cublas-cu12==12.9.1.4", "nvidia-cudnn-cu12==9.19.0.56"),
        ("RTX 5090", "580.82.07", "nvidia-cublas==13.1.0.3", "nvidia-cudnn-cu13==9.19.0.56"),
    ],
)
def test_missing_libraries_are_notes_with_a_command(agent, profile, driver, cublas, cudnn):
    ran = on_fake(agent, profile, "--driver", driver, "--library", "cublas=none", "--library", "cudnn=none")
    document, checks = diagnosis(ran)
    assert document["exit_code"] == 0 and document["measures"] == "cuda"
    assert checks["cublas"]["state"] == checks["cudnn"]["state"] == "missing"
    assert checks["cublas"]["command"] == "pip install " + cublas
    assert checks["cudnn"]["command"] == "pip install " + cudnn


def test_a_library_without_kernels_for_the_gpu(agent):
    _, checks = diagnosis(on_fake(agent, "V100-SXM2-16GB", "--driver", "580.82.07", "--library", "cublas=13.0.2"))
    assert checks["cublas"]["state"] == "broken" and "no kernels" in checks["cublas"]["what"]
    assert checks["cublas"]["command"] == "pip install nvidia-cublas-cu12==12.9.1.4"


@pytest.mark.parametrize(
    "fault,state", [("no_driver", "missing"), ("stub", "broken"), ("no_device", "broken"), ("old_driver", "broken")]
)
def test_a_driver_that_does_not_work(agent, fault, state):
    document, checks = diagnosis(on_fake(agent, "T4", "--fault", fault))
    assert document["exit_code"] == 3 and document["measures"] is None
    assert checks["driver"]["state"] == state and (checks["driver"]["advice"] or checks["driver"]["command"])


def test_the_page_fits_and_its_commands_can_be_copied(agent):
    ran = on_fake(agent, "T4", "--library", "cublas=none", json_wanted=False)
    assert ran.returncode == 0
    lines = ran.stdout.splitlines()
    assert any(line.strip() == "$ pip install nvidia-cublas-cu12==12.9.1.4" for line in lines), ran.stdout
    assert all(len(line) <= 80 for line in lines if "$ " not in line and str(agent.data_dir) not in line)
    assert lines[-1].startswith("  result") and "measures the GPU" in lines[-1] and "SIMULATED" in lines[-1]


def test_a_run_without_libraries_sends_the_user_to_the_doctor(agent):
    command = [ROOT / "scripts/with_fake_gpu", "T4*2", "--library", "cublas=none", "--library", "cudnn=none", "--"]
    command += agent.command("run", "--profile", "quick", "--max-seconds", "60", "--json")
    ran = subprocess.run(command, capture_output=True, text=True, timeout=250, stdin=subprocess.DEVNULL, env=environment())
    assert ran.returncode == 0, ran.stderr
    verdicts = json.loads(ran.stdout)["verdicts"]
    assert [verdict["code"] for verdict in verdicts] == ["library_missing", "library_missing"]
    # Convolution is measured on the first of two equal GPUs.
    assert "GPU 0, 1: no cuBLAS" in verdicts[0]["message"] and "GPU 0: no cuDNN" in verdicts[1]["message"]
    assert all(verdict["remedy"] == "gpuassay doctor names the package" for verdict in verdicts)
    shown = agent("show", agent.files()[0])
    assert "2 x cuda: Tesla T4" in shown.stdout and "\n  device 1   triad" in shown.stdout
