"""The cases of this directory: cases/NAME.yaml, rendered and put into one text.

A case's first line may be a comment with options: `# --slurm 24.11`.  The rest is a whole ParallelCluster file or a part of
one: its SlurmQueues where it begins with `- `, its SlurmSettings where it begins so, else other keys of the top (see `whole`).
"""
import difflib
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from program import Tool  # noqa: E402

HERE = Path(__file__).resolve().parent
CASES = sorted((HERE / "cases").glob("*.yaml"))
WALK = HERE / "cases" / "walk.yaml"

FRAME = """\
Region: eu-west-1
Image: {{Os: ubuntu2204}}
HeadNode:
  InstanceType: t3.micro
  Networking: {{SubnetId: subnet-12121212}}
{extra}Scheduling:
  Scheduler: slurm
{scheduling}"""
NETWORKS = "HpcNode: {Networks: 10.0.0.0/16}\n"
OPTIONS = ["--cluster", "hpc", "--head", "10.0.0.10"]
QUEUE = """\
  SlurmQueues:
  - Name: queue1
    Networking: {SubnetIds: [subnet-12121212]}
    ComputeResources:
    - Name: t3micro
      InstanceType: t3.micro
"""


def indented(text, by):
    return "".join(" " * by + line if line.strip() else line for line in text.splitlines(keepends=True))


def whole(text):
    """A case's text as a whole file: what it leaves out is a queue of t3.micro."""
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    if re.search(r"^HeadNode:", body, re.M):
        return text
    networks = "" if "HpcNode:" in body else NETWORKS
    if body.startswith("- "):
        queues = re.sub(r"^- Name: .*\n", lambda m: m[0] + "  Networking: {SubnetIds: [subnet-12121212]}\n", body, flags=re.M)
        return FRAME.format(extra=networks, scheduling="  SlurmQueues:\n" + indented(queues, 2))
    if body.startswith("SlurmSettings:"):
        return FRAME.format(extra=networks, scheduling=indented(body, 2) + QUEUE)
    return FRAME.format(extra=networks + body, scheduling=QUEUE)


def options(text):
    first = text.splitlines()[0] if text else ""
    return first[1:].split() if first.startswith("# --") else []


class Rendered:
    """What one run wrote, said and ended with; `more` are further options."""

    def __init__(self, case, where, more=()):
        text = case.read_text()
        self.options = [*OPTIONS, *(more or options(text))]
        where.mkdir(parents=True, exist_ok=True)
        config, self.out = where / case.name, where / "out"
        config.write_text(whole(text))
        self.agent = Tool(os.environ["HPC_AGENT"], where)
        self.run = self.agent("render", case.name, "--role", "head", *self.options, "-o", "out")
        self.files = {str(path.relative_to(self.out)): path.read_text()
                      for path in sorted(self.out.rglob("*")) if path.is_file()} if self.out.exists() else {}

    def text(self, base=None):
        """One text of it all; with `base`, only the lines of each file that differ from base's."""
        lines = []
        if self.run.code:
            lines.append(f"exit status {self.run.code}\n")
        lines += [line + "\n" for line in self.run.out.splitlines() if line.startswith("note: ")]
        lines += [line + "\n" for line in self.run.err.splitlines()]
        for name in sorted({*self.files, *(base.files if base and not self.run.code else ())}):
            new, old = self.files.get(name, ""), base.files.get(name, "") if base else ""
            changed = [line for line in difflib.ndiff(old.splitlines(keepends=True), new.splitlines(keepends=True))
                       if line[0] in "+-"] if base else new.splitlines(keepends=True)
            if changed:
                lines += [f"== {name}\n", *changed]
        return "".join(lines)
