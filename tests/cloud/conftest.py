"""What the cloud tests share: the agent, a metadata service and a strict S3 around it, and the rule that
no secret ever shows in what the agent says."""
import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from fakes.aws import Aws  # noqa: E402
from fakes.imds import Imds, credentials, instance  # noqa: E402
from fakes.proc import argv  # noqa: E402
from fakes.sigcheck import Key  # noqa: E402
from program import built  # noqa: E402

CREDS = credentials()
KEY = Key(CREDS["AccessKeyId"], CREDS["SecretAccessKey"], CREDS["Token"])
SECRETS = (KEY.secret, KEY.token, "canary")
BODY = b"Region: eu-west-1\n" * 400
GUARD = 90
DATA_MAX = 48 << 20  # what any run may take of memory, whatever a server sends


@dataclass
class Run:
    code: int
    out: bytes
    err: str


@dataclass
class World:
    """One instance's surroundings, and the agent in them."""
    binary: str
    imds: Imds
    aws: Aws
    env: dict
    dir: object
    sanitized: bool
    secrets: list = field(default_factory=lambda: list(SECRETS))

    def run(self, *args, env=None, guard=GUARD, data_max=DATA_MAX):
        full = {k: v for k, v in {**self.env, **(env or {})}.items() if v is not None}
        limit = [] if self.sanitized else ["prlimit", f"--data={data_max}"]
        p = subprocess.Popen(argv([*limit, self.binary, *args]), env=full, cwd=self.dir,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        try:
            out, err = p.communicate(timeout=guard)
        except subprocess.TimeoutExpired:
            p.kill()
            raise
        r = Run(p.returncode, out, err.decode("utf-8", "replace"))
        assert r.code >= 0 and "Sanitizer" not in r.err, r.err
        for secret in self.secrets + list(self.imds.tokens):
            assert secret not in r.err and secret.encode() not in out, f"secret shown: {r.err}"
        assert all(c.isprintable() or c in "\n\t" for c in r.err), repr(r.err)
        return r

    def fetch(self, uri, *args, **kw):
        return self.run("fetch", uri, *args, **kw)

    def facts(self, *args, **kw):
        return self.run("facts", *args, **kw)


@pytest.fixture(scope="session")
def binary():
    return built("HPC_AGENT")


@pytest.fixture(scope="session")
def sanitized(binary):
    """A sanitizer reserves far more memory than the program may use."""
    return b"libasan" in subprocess.run(["ldd", binary], capture_output=True, check=True).stdout


@pytest.fixture
def clean_env(tmp_path):
    """An environment without AWS settings, proxies or a home of ours."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8",
            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


@pytest.fixture
def world(binary, sanitized, clean_env, tmp_path):
    with Imds(instance(tags={"Name": "n1"})) as imds, Aws([KEY]) as aws:
        aws.bucket("conf").put("cluster-config.yaml", BODY)
        env = dict(clean_env, AWS_EC2_METADATA_SERVICE_ENDPOINT=imds.url, AWS_ENDPOINT_URL=aws.url)
        yield World(binary, imds, aws, env, tmp_path, sanitized)


@pytest.fixture
def trap():
    """A server nobody may talk to."""
    from fakes.httpd import Response, Server
    with Server(lambda req: Response(200, b"trapped")) as s:
        yield s
        assert not s.log and not s.conns, "something reached the second origin"
