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
ADDRESS = "until ip -4 -o addr show eth0 2>/dev/null | grep -q inet; do sleep 0.05; done; modprobe -a nfs nfsv4"


def timed(node, command):
    start = time.monotonic()
    node.run(command, 120)
    return time.monotonic() - start


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


def in_container(bed, controller, layer, figures):
    """The same at this machine's own speed; /home is a bind mount there (containers have no NFS client here)."""
    bed.terminate(NODE)
    bed.put("cluster-config.yaml", "mounts:\n- {source: /srv/nfs/home, path: /home, type: bind}\n")
    box = bed.container(NODE, [layer], [f"{controller.export}:/srv/nfs"]).boot()
    for name in ("container", "container again"):
        figures[name].append(timed(box, agent.call("bootstrap")))


def in_guests(bed, controller, tar, figures):
    guest = fresh(bed, controller, tar)
    for name in ("agent", "again"):
        figures[name].append(timed(guest, agent.call("bootstrap")))
    guest = fresh(bed, controller, tar)
    figures["shell"].append(timed(guest, f"AWS_ENDPOINT_URL_S3={cluster.S3_URL} /usr/lib/bed/join-shell"))
    key = f"base64 -d >/etc/munge/munge.key <<<{base64.b64encode(cluster.MUNGE_KEY).decode()}\n"
    guest = fresh(bed, controller, tar, key + PREPARE)
    parts = {name: timed(guest, command) for name, command in PARTS.items()}
    start = time.monotonic()
    controller.wait_idle(NODE, 60)          # asked here, not in the guest, where each question costs 0.3 s
    parts["slurmd"] += time.monotonic() - start
    for name, seconds in parts.items():
        figures[name].append(seconds)
    figures["parts"].append(sum(parts.values()))


def main(build, rounds):
    figures = {name: [] for name in ("agent", "again", "shell", "parts", *PARTS, "container", "container again")}
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
    median = {name: statistics.median(values) for name, values in figures.items()}
    print(f"from an address to 'the controller says idle', medians of {rounds} fresh guests each:")
    for name, what in (("agent", "hpc-agent bootstrap"), ("shell", "tests/bench/join-shell.sh"),
                       ("parts", "mount + munged + slurmd alone"), ("mount", "  mount"), ("munged", "  munged"),
                       ("slurmd", "  slurmd, until registered"), ("again", "hpc-agent bootstrap, second run"),
                       ("container", "in a container: hpc-agent"), ("container again", "in a container: second run")):
        print(f"  {what:34} {median[name]:7.3f} s   ({', '.join(f'{value:.3f}' for value in figures[name])})")
    print(f"  agent over the parts               {median['agent'] - median['parts']:+7.3f} s")
    print(f"  agent over the script              {median['agent'] - median['shell']:+7.3f} s")


if __name__ == "__main__":
    build = os.environ.get("HPC_BUILD_DIR") or Path(__file__).resolve().parents[2] / "build"
    main(build, int(os.environ.get("HPC_ROUNDS", "3")))
