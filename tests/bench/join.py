"""The program behind tests/bench/join; runs inside the bed."""
import base64
import os
import shutil
import statistics
import time
from pathlib import Path

from bed import agent, cluster
from bed.head import Head

NODE = "queue1-st-t3micro-1"
PARTS = {"mount": "mount -t nfs4 -o vers=4.2,hard,noatime 10.77.0.10:/home /home",
         "munged": "systemctl start munge",
         "slurmd": "systemctl start slurmd"}
# All a script would have done before those: name, key, options.
PREPARE = f"""
echo {NODE} >/etc/hostname; hostname {NODE}; echo '10.77.0.21 {NODE}' >>/etc/hosts
chown munge:munge /etc/munge/munge.key; chmod 400 /etc/munge/munge.key
mkdir -p /etc/slurm /var/spool/slurmd /etc/systemd/system/slurmd.service.d
printf '[Unit]\\nConditionPathExists=\\n' >/etc/systemd/system/slurmd.service.d/configless.conf
echo "SLURMD_OPTIONS='-N {NODE} -b --conf-server 10.77.0.10:6817'" >/etc/default/slurmd
systemctl daemon-reload
"""
# The guests are copies of a machine that had booted before the agent was installed: its modules are loaded here.
ADDRESS = "until ip -4 -o addr show eth0 2>/dev/null | grep -q inet; do sleep 0.05; done; modprobe -a nfs nfsv4; /lib/systemd/systemd-modules-load"


def cpu_of(node):
    """Seconds the guest's one processor has run so far; unlike the wall's they don't depend on what else runs here."""
    fields = Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(node, command):
    """(wall, processor) seconds of a command in a node."""
    start, cpu = time.monotonic(), cpu_of(node)
    node.run(command, 120)
    return time.monotonic() - start, cpu_of(node) - cpu


def fresh(bed, controller, payload, prepare=""):
    """A guest with an address, about to join; to the controller it is down until it registers."""
    bed.terminate(NODE)
    controller.run(f"scontrol update nodename={NODE} state=down reason=bench")
    guest = bed.guest(NODE, payload)
    guest.plug_nic()
    guest.run(ADDRESS + "\n" + prepare, 60)
    return guest


def payload(bed, build):
    """The agent, the script and the munge key the parts need."""
    tree = agent.install(build, bed.home / "payload")
    (tree / "usr/lib/bed").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("join-shell.sh"), tree / "usr/lib/bed/join-shell")
    return cluster.pack(tree, bed.home / "payload.tar")


def key():
    return f"base64 -d >/etc/munge/munge.key <<<{base64.b64encode(cluster.MUNGE_KEY).decode()}\n"


def container(bed, controller, layer):
    """Booted, about to join; to the controller it is down until it registers."""
    bed.terminate(NODE)
    controller.run(f"scontrol update nodename={NODE} state=down reason=bench")
    return bed.container(NODE, [layer], [f"{controller.export}:/srv/nfs"]).boot()


def in_container(bed, controller, layer, figures):
    """The same at this machine's own speed; /home is a bind mount there (containers have no NFS client here)."""
    bed.put("cluster-config.yaml", "mounts:\n- {source: /srv/nfs/home, path: /home, type: bind}\n")
    box = container(bed, controller, layer)
    for name in ("container", "container again"):
        figures[name].append(timed(box, agent.call("bootstrap")))
    box = container(bed, controller, layer)
    box.run(key() + PREPARE, 60)
    begun = time.monotonic()
    for command in ("mount --bind /srv/nfs/home /home", PARTS["munged"], PARTS["slurmd"]):
        box.run(command, 60)
    controller.wait_idle(NODE, 60)
    figures["container parts"].append((time.monotonic() - begun, 0))


def in_guests(bed, controller, tar, figures):
    guest = fresh(bed, controller, tar)
    for name in ("agent", "again"):
        figures[name].append(timed(guest, agent.call("bootstrap")))
    figures["line"].append(timed(guest, "true"))
    guest = fresh(bed, controller, tar)
    figures["shell"].append(timed(guest, f"AWS_ENDPOINT_URL_S3={cluster.S3_URL} /usr/lib/bed/join-shell"))
    guest = fresh(bed, controller, tar, key() + PREPARE)
    parts = {name: timed(guest, command) for name, command in PARTS.items()}
    start, cpu = time.monotonic(), cpu_of(guest)
    controller.wait_idle(NODE, 60)          # asked here, not in the guest, where each question costs 0.3 s
    parts["slurmd"] = (parts["slurmd"][0] + time.monotonic() - start, parts["slurmd"][1] + cpu_of(guest) - cpu)
    for name, seconds in parts.items():
        figures[name].append(seconds)
    figures["parts"].append(tuple(map(sum, zip(*parts.values()))))


def main(build, rounds):
    figures = {name: [] for name in ("agent", "again", "shell", "parts", *PARTS, "line", "container", "container again",
                                    "container parts")}
    with cluster.Bed() as bed:
        tar = payload(bed, build)
        with Head(bed.home / "head", cluster.MUNGE_KEY, cgroup=True) as controller:
            for _ in range(rounds):
                in_guests(bed, controller, tar, figures)
            bed.terminate(NODE)
        with Head(bed.home / "head.2", cluster.MUNGE_KEY) as controller:
            for _ in range(rounds):
                in_container(bed, controller, bed.home / "payload", figures)
    report(figures, rounds)


def report(figures, rounds):
    median = {name: [statistics.median(column) for column in zip(*values)] for name, values in figures.items()}
    print(f"from an address to 'the controller says idle', medians of {rounds} fresh nodes each:      wall   processor")
    for name, what in (("agent", "hpc-agent bootstrap"), ("shell", "tests/bench/join-shell.sh"),
                       ("parts", "mount + munged + slurmd alone"), ("mount", "  mount"), ("munged", "  munged"),
                       ("slurmd", "  slurmd, until registered"), ("line", "no command at all, over the guest's control line"), ("again", "hpc-agent bootstrap, second run"),
                       ("container", "in a container: hpc-agent"), ("container again", "in a container: second run"),
                       ("container parts", "in a container: bind mount + munged + slurmd alone")):
        wall, cpu = median[name]
        shown = "" if name.startswith("container") else f"{cpu:7.2f} s"     # that is systemd-nspawn's own, nothing
        print(f"  {what:68} {wall:7.3f} s {shown}   ({', '.join(f'{one[0]:.3f}' for one in figures[name])})")
    for name, what in (("parts", "agent over the parts"), ("shell", "agent over the script")):
        wall, cpu = (ours - theirs for ours, theirs in zip(median["agent"], median[name]))
        print(f"  {what:68} {wall:+7.3f} s {cpu:+7.2f} s")
    wall = median["container"][0] - median["container parts"][0]
    print(f"  {'in a container: agent over the parts':68} {wall:+7.3f} s")
    # The parts are three commands, and the agent is one.
    wall, cpu = (ours - theirs + 2 * line for ours, theirs, line in zip(median["agent"], median["parts"], median["line"]))
    print(f"  {'agent over the parts, without what the control line takes':68} {wall:+7.3f} s {cpu:+7.2f} s")


if __name__ == "__main__":
    build = os.environ.get("HPC_BUILD_DIR") or Path(__file__).resolve().parents[2] / "build"
    main(build, int(os.environ.get("HPC_ROUNDS", "3")))
