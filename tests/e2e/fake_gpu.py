"""Programs on imitated GPUs, by scripts/with_fake_gpu, that tests send signals to."""

import os
import subprocess

from conftest import BIN, ROOT


def on_gpus(gpu, *command, faults=(), variables=None):
    """The command line and the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GPUASSAY_FAKE")}
    if (BIN / "fake_gpu").is_dir():
        environment["GPUASSAY_FAKE_GPU_DIR"] = str(BIN / "fake_gpu")
    flags = [word for fault in faults for word in ("--fault", fault)]
    return [ROOT / "scripts/with_fake_gpu", gpu, *flags, "--", *command], {**environment, **(variables or {})}


class Started:
    """A program that runs; `pid` is its own, not that of the script around it."""

    def __init__(self, gpu, command, **how):
        line, environment = on_gpus(gpu, "sh", "-c", 'echo $$; exec "$@"', "sh", *command, **how)
        self.process = subprocess.Popen(line, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.pid = int(self.process.stdout.readline())

    def end(self, timeout=120):
        """Exit code as a shell has it, stdout, stderr."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err
