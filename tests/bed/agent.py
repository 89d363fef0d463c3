"""The agent in a node of the bed, guest or container: running it and reading what it says."""
import json
import os
import shlex
from pathlib import Path

from .cluster import S3_URL
from .proc import run

ENVIRONMENT = {"AWS_ENDPOINT_URL_S3": S3_URL}
UNIT = "hpc-agent.service"


def install(build, directory):
    """The agent as `cmake --install` lays it out, told where the bed's S3 is: a layer for a node's root."""
    run("cmake", "--install", build, "--component", "agent", "--prefix", "/usr", timeout=120,
        env=dict(os.environ, DESTDIR=str(directory)))
    settings = Path(directory) / "etc/hpc-node/environment"
    settings.parent.mkdir(parents=True)
    settings.write_text("".join(f"{key}={value}\n" for key, value in ENVIRONMENT.items()))
    return Path(directory)


def install_fleet(build, directory):
    """hpc-fleet as `cmake --install` lays it out: a further layer for a head."""
    run("cmake", "--install", build, "--component", "fleet", "--prefix", "/usr", timeout=120,
        env=dict(os.environ, DESTDIR=str(directory)))
    return Path(directory)


def call(verb, *args):
    """The shell command that runs a verb as the unit would."""
    settings = [f"{key}={value}" for key, value in ENVIRONMENT.items()]
    return shlex.join(["env", *settings, "hpc-agent", verb, *args])


def bootstrap(node, *args, timeout=60):
    """Runs it to its end; returns (exit status, what it printed)."""
    return node.run(call("bootstrap", *args), timeout, check=False)


def start(node):
    """Enables the unit and starts it as the boot does, without waiting."""
    node.run(f"systemctl enable {UNIT} && systemctl start --no-block {UNIT}")


def status(node):
    return Status(json.loads(node.read("/run/hpc-node/status.json")))


def wait_ended(node, deadline):
    """Waits until the run in progress has ended, by the agent's own means; returns its status."""
    begun = "until [ -e /run/hpc-node/status.json ]; do sleep 0.05; done; "
    node.run(begun + call("status", "--wait", f"--deadline={deadline}s"), deadline + 10, check=False)
    return status(node)


class Status:
    """A status.json: `phase`, `exit` and the steps by id."""

    def __init__(self, document):
        self.document, self.phase, self.exit = document, document["phase"], document["exit_status"]
        self.steps = {step["id"]: step for step in document["steps"]}

    def of(self, kind):
        """The states of all steps of a kind."""
        return {step["state"] for step in self.steps.values() if step["kind"] == kind}

    def failures(self):
        """Step id -> reason, of all that failed."""
        return {name: step["error"]["reason"] for name, step in self.steps.items() if step["state"] == "failed"}

    def states(self):
        return {step["state"] for step in self.steps.values()}

    def reason(self):
        """The reason of a failure outside the steps, or None."""
        return (self.document["error"] or {}).get("reason")

    def __str__(self):
        lines = [f"{self.phase} exit={self.exit} {self.document['error']}"]
        return "\n".join(lines + [f"  {name}: {step['state']} {step['error'] or ''}" for name, step in self.steps.items()])

    __repr__ = __str__
