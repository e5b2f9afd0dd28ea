"""onstart_check DEBIAN TARBALL SCRATCH: calls the start scripts for Vast.ai and RunPod in a copy of the Debian, as their
containers do, with the tarball on a server of this machine that refuses once: a wrong checksum, then twice the right one."""

import http.server
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from boot_machine import QUICK, RECIPES, WITH_US, Machine, sha256, wait_for

# A container's first process lives on after the start script; when it is killed everything in the container is.
CONTAINER = '''mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount --rbind /sys "$0/sys" && mount --rbind /dev "$0/dev" &&
exec chroot "$0" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"'''
LOG = "/var/log/gpuassay.log"


class Server:
    """Gives the release away, but not before the start script has returned: one that waited for it would never return.
    The first answer is one that curl and wget alone would take as final."""

    def __init__(self, release, machine):
        self.requests = 0
        outer, body = self, Path(release).read_bytes()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests += 1
                wait_for(lambda: machine.path("/returned").exists(), "the start script returned")
                answer = body if outer.requests > 1 else b""
                self.send_response_only(200 if answer else 404)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/gpuassay.tar.gz"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@contextmanager
def started(machine, command, variables):
    """The container after `command` has started it; ends it again."""
    machine.path("/returned").unlink(missing_ok=True)
    words = [f"{name}={value}" for name, value in variables.items()]
    process = subprocess.Popen([*WITH_US, "unshare", "--mount", "--pid", "--fork", "--kill-child",
                                "sh", "-c", CONTAINER, machine.root, *words, "sh", "-c", command], stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: machine.path("/returned").exists(), "the start script returned")
        yield
    finally:
        process.kill()
        process.wait()


def check(debian, release, scratch, script, command, variables, data_dir, missing=None):
    machine = Machine(debian, Path(scratch, script))
    if missing:
        machine.path(missing).unlink()
    machine.write(f"/{script}", (RECIPES / script).read_text(), 0o755)
    server = Server(release, machine)
    variables = {"GPUASSAY_URL": server.url, "GPUASSAY_RUN_ARGS": QUICK, **variables}
    with started(machine, command, {**variables, "GPUASSAY_SHA256": "0" * 64}):
        wait_for(lambda: "did NOT match" in machine.read(LOG), "a wrong checksum is told of")
        wait_for(lambda: not any(machine.path("/opt/gpuassay").iterdir()), "what does not match is removed")
    right = {**variables, "GPUASSAY_SHA256": sha256(release)}
    for times in (1, 2):
        with started(machine, command, right):
            wait_for(lambda: machine.read(LOG).count("\n  saved ") + machine.read(LOG).count("already") >= times,
                     "the agent says what it did")
    assert "already" in machine.read(LOG).splitlines()[-1], machine.read(LOG)
    [result] = machine.results(data_dir)
    assert result["trigger"] == "boot" and result["platform"]["provider"] in script, result["platform"]
    assert server.requests == 3, f"downloaded {server.requests - 2} times"
    left = [path.name for path in machine.path("/opt/gpuassay").iterdir()]
    assert left == [sha256(release)], left
    print(f"{script}: returned at once, refused a wrong checksum, measured once in two starts")
    machine.remove()


def main(debian, release, scratch):
    check(debian, release, scratch, "vastai_onstart.sh", "sh /vastai_onstart.sh; : >/returned; exec sleep infinity",
          {"VAST_CONTAINERLABEL": "C.1234567"}, "/var/lib/gpuassay")
    # The folder is there as it is on a Pod with a volume.
    check(debian, release, scratch, "runpod_start.sh",
          "mkdir -p /workspace; exec sh /runpod_start.sh sh -c ': >/returned; exec sleep infinity'",
          {"RUNPOD_POD_ID": "a1b2c3d4e5f6g7"}, "/workspace/gpuassay/a1b2c3d4e5f6g7", missing="/usr/bin/curl")


if __name__ == "__main__":
    assert os.getuid() == 0
    main(*sys.argv[1:])
