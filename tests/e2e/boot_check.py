"""boot_check DEBIAN TARBALL SCRATCH: boots a copy of the Debian, with systemd as its first process, as a machine that gets
scripts/boot/cloud-init.yaml as user data and finds the tarball on a web server. Two boots with what the user data says (once
an instance), two with GPUASSAY_ONCE=boot, at the end of which the commands of docs/BOOT.md for measuring again are run.
Loading the driver's modules never ends there, and the unit must be able to read what the group `video` may.
Ends with 77 where systemd cannot be started."""

import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

from boot_machine import QUICK, RECIPES, WITH_US, Machine, sha256

BOOT_LIMIT_S = 180
URL = "http://127.0.0.1:8000/release.tar.gz?signed=1&until=2"  # a shell would make two commands of it
VIDEO = 44  # the group's number in every Debian

# systemd wants a hierarchy of the second version, with nothing of this machine in it. In namespaces of its own, so that
# nothing stays mounted and no process alive whatever happens; the network is one without any other machine.
CGROUP = f"gpuassay-check.{os.getpid()}"
HIERARCHY = "mount -t cgroup2 cgroup2 /sys/fs/cgroup"
NSPAWN = f"""{HIERARCHY} && mkdir -p /sys/fs/cgroup/{CGROUP} /run/systemd && echo $$ >/sys/fs/cgroup/{CGROUP}/cgroup.procs &&
umount /sys/fs/cgroup && mount -t tmpfs tmpfs /run/systemd &&
exec unshare --cgroup sh -c '{HIERARCHY} && exec systemd-nspawn --quiet --register=no --keep-unit --private-network \
  --link-journal=no --resolv-conf=off --timezone=off --console=read-only --directory="$0" --boot' "$0"
"""
REMOVE_CGROUP = f"{HIERARCHY} && find /sys/fs/cgroup/{CGROUP} -depth -type d -exec rmdir {{}} +"

WEB = f"""[Unit]
Description=what a release is downloaded from
[Service]
ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /srv {URL.split(":")[2].split("/")[0]}
[Install]
WantedBy=multi-user.target
"""

# The unit's own /proc has the boot id of the machine around this one.
UNIT = """[Service]
ExecStartPre=+/usr/bin/install -m 444 /proc/sys/kernel/random/boot_id /run/gpuassay/
ExecStartPre=/usr/bin/test -r /srv/of-video
BindReadOnlyPaths=-/run/gpuassay/boot_id:/proc/sys/kernel/random/boot_id
"""

# The last of each boot: writes down how it went, and ends it.
END = """[Unit]
Description=end of this boot
After=multi-user.target cloud-final.service gpuassay.service
[Service]
Type=oneshot
ExecStart=/bin/bash /end
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
"""
END_SCRIPT = """
log=/var/log/boots/$(cat /proc/sys/kernel/random/boot_id)
mkdir -p /var/log/boots
[ ! -e /again ] || bash -x /again >/var/log/again 2>&1
while [ -n "$(systemctl list-jobs --no-legend gpuassay.service)" ]; do sleep 0.2; done
{
  systemctl show --property=ActiveState,Result,ActiveEnterTimestampMonotonic multi-user.target
  echo
  systemctl show --property=Result,ExecMainStatus,ExecMainStartTimestampMonotonic gpuassay.service
  echo
  systemctl show --property=Result gpuassay-modules.service
  echo
  journalctl --no-pager --boot --unit gpuassay.service --output cat
} >"$log" 2>&1
systemctl poweroff --no-block
"""


def user_data(release):
    """As a user would fill it in."""
    text = (RECIPES / "cloud-init.yaml").read_text()
    filled = re.sub(r"URL='.*'", f"URL='{URL}'", text)
    filled = re.sub(r"SHA256='.*'", f"SHA256='{sha256(release)}'", filled)
    filled = filled.replace('"--profile standard"', f'"{QUICK}"')
    for line in ("provider=lambda", "instance_type=gpu_8x_h100_sxm5"):
        filled = filled.replace(f"# {line}", line)
    assert filled.count(QUICK) == filled.count("      provider=lambda") == 1
    return filled


def make_machine(debian, release, scratch):
    machine = Machine(debian, Path(scratch, "machine"))
    machine.write("/etc/machine-id", uuid.uuid4().hex + "\n")
    machine.write("/var/lib/cloud/seed/nocloud/user-data", user_data(release))
    machine.write("/var/lib/cloud/seed/nocloud/meta-data", "instance-id: check-1\n")
    machine.write("/etc/cloud/cloud.cfg.d/99_check.cfg",
                  "datasource_list: [NoCloud, None]\nnetwork: {config: disabled}\n")
    machine.write("/srv/release.tar.gz", "")
    machine.path("/srv/release.tar.gz").write_bytes(Path(release).read_bytes())
    machine.write("/etc/systemd/system/web.service", WEB)
    machine.write("/etc/systemd/system/gpuassay.service.d/check.conf", UNIT)
    machine.write("/etc/systemd/system/gpuassay-modules.service.d/check.conf", "[Service]\nTimeoutStartSec=2\n")
    machine.write("/sbin/modprobe", "#!/bin/sh\nexec sleep infinity\n", 0o755)
    machine.write("/srv/of-video", "", 0o060)
    os.chown(machine.path("/srv/of-video"), 0, VIDEO)
    machine.write("/etc/systemd/system/end.service", END)
    machine.write("/end", END_SCRIPT)
    subprocess.run(["systemctl", "--quiet", f"--root={machine.root}", "enable", "web.service", "end.service"], check=True)
    return machine


def boot(machine, scratch):
    """One boot until the machine is off; what `systemctl show` said at its end, and the agent's part of the journal."""
    before = set(machine.path("/var/log/boots").glob("*"))
    console = Path(scratch, "console")
    with console.open("w") as output:
        process = subprocess.Popen([*WITH_US, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                                    "sh", "-c", NSPAWN, machine.root],
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            status = process.wait(timeout=BOOT_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            sys.exit(f"boot_check: not off after {BOOT_LIMIT_S} s: {console.read_text()[-3000:]}")
        finally:
            subprocess.run(["unshare", "--mount", "sh", "-c", REMOVE_CGROUP], stderr=subprocess.DEVNULL)
    told = console.read_text()
    if "running in system mode" not in told:
        print(f"SKIPPED: systemd cannot be started here ({status}): {told}")
        sys.exit(77)
    assert status == 0, f"it was not switched off but ended with {status}: {told[-3000:]}"
    [log] = set(machine.path("/var/log/boots").glob("*")) - before
    return log.read_text()


def shown(log):
    """The properties of multi-user.target and of the two units."""
    return [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in log.split("\n\n")[:3]]


def check_order(log):
    target, unit, modules = shown(log)
    assert target["ActiveState"] == "active", log
    reached, began = int(target["ActiveEnterTimestampMonotonic"]), int(unit["ExecMainStartTimestampMonotonic"])
    assert 0 < reached < began, f"multi-user.target was reached at {reached}, the agent began at {began}\n{log}"
    assert unit["Result"] == "success" or unit["ExecMainStatus"] == "4", log
    assert modules["Result"] == "timeout", log


def again_commands():
    page = (RECIPES.parents[1] / "docs/BOOT.md").read_text()
    commands = re.search(r"^## Measuring again.*?^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL).group(1)
    return commands.replace("sudo ", "")  # who is root already


def main(debian, release, scratch):
    machine = make_machine(debian, release, scratch)
    seen = []
    for scope, after in (("instance", 1), ("instance", 1), ("boot", 2), ("boot", 3)):
        if scope == "boot":
            machine.write("/etc/default/gpuassay", f'GPUASSAY_ONCE=boot\nGPUASSAY_RUN_ARGS="{QUICK}"\n')
        if len(seen) == 3:
            machine.write("/again", again_commands())
            after += 2
        began = time.monotonic()
        log = boot(machine, scratch)
        check_order(log)
        results = machine.results()
        assert len(results) == after, f"{len(results)} results, not {after}, after {log}{machine.read('/var/log/again')}"
        seen.append(f"{time.monotonic() - began:.0f}")
    assert [result["trigger"] for result in results] == ["boot", "boot", "boot", "user", "boot"]
    assert all(result["platform"]["provider"] == "lambda" for result in results)
    folder = machine.path("/var/lib/gpuassay").stat()
    assert folder.st_uid != 0 and folder.st_mode & 0o777 == 0o700
    print(f"booted four times, in {', '.join(seen)} s: measured once an instance, then once a boot, then again when told to; "
          "multi-user.target never waited, though a module hung")


if __name__ == "__main__":
    assert os.getuid() == 0
    main(*sys.argv[1:])
