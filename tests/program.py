"""Running a built program as a user would, in an empty environment."""
import os
import subprocess
from dataclasses import dataclass

SOURCE = os.path.realpath(os.environ.get("HPC_SOURCE") or os.path.join(os.path.dirname(__file__), ".."))


def built(variable):
    """The program that a variable of the environment names, HPC_AGENT as ctest sets it."""
    path = os.environ.get(variable)
    assert path and os.access(path, os.X_OK), f"{variable} must name the built program"
    return path


@dataclass
class Run:
    code: int
    out: str
    err: str


class Tool:
    def __init__(self, path, cwd):
        self.path, self.cwd = path, cwd

    def __call__(self, *args, stdout=subprocess.PIPE, guard=60, **env):
        full = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.cwd),
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9", **env}
        p = subprocess.run([self.path, *map(os.fspath, map(_arg, args))], cwd=self.cwd, env=full,
                           stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                           timeout=guard)
        err = p.stderr.decode("utf-8", "replace")
        assert p.returncode >= 0 and "Sanitizer" not in err, err
        return Run(p.returncode, (p.stdout or b"").decode("utf-8", "replace"), err)


def _arg(value):
    return value if isinstance(value, (str, bytes, os.PathLike)) else str(value)
