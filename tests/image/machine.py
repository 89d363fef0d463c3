"""A machine to change: this one's tree with a layer over it that only one command sees."""
import os
import shlex
import subprocess

LAYER = """set -e
mount -t tmpfs -o size=512m layer {top}
mkdir {top}/upper {top}/work {top}/root
mount -t overlay layer -o lowerdir=/,upperdir={top}/upper,workdir={top}/work {top}/root
mount -t proc proc {top}/root/proc
mount -t tmpfs run {top}/root/run
mount --rbind /dev {top}/root/dev
mkdir -p {top}/root{work}
mount --rbind {work} {top}/root{work}
mount --rbind {program} {top}/root{program}
"""


class Machine:
    """Commands run in it one after the other; what one leaves the next finds."""

    def __init__(self, program, work, **env):
        self.program, self.work, self.top = program, work, work / "machine"
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9", **env}
        self.top.mkdir()

    def run(self, *commands, guard=120):
        """Each is a list, run inside as root; returns [(status, stdout, stderr)]."""
        files = [self.work / f"result{i}" for i in range(len(commands))]
        script = LAYER.format(top=self.top, work=self.work, program=os.path.dirname(self.program)) + "set +e\n"
        for command, name in zip(commands, files):
            inside = shlex.join(["chroot", str(self.top / "root"), "/usr/bin/env", "-i",
                                 *(f"{key}={value}" for key, value in self.env.items()), *map(str, command)])
            script += f"{inside} >{name}.out 2>{name}.err </dev/null; echo $? >{name}.status\n"
        subprocess.run(["unshare", "-m", "--propagation=private", "bash", "-c", script], check=True, timeout=guard)
        results = [(int(f.with_suffix(".status").read_text()), f.with_suffix(".out").read_text(),
                    f.with_suffix(".err").read_text()) for f in files]
        for _, _, err in results:
            assert "Sanitizer" not in err, err
        return results

    def provision(self, recipe, *then, args=()):
        return self.run([self.program, "provision", recipe, *args], *then)
