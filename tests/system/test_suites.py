"""Controllers and nodes of two releases of Debian and of Slurm: what can't work together is told so, and no configless controller
is, whichever way the node's slurmd takes it: 22.05 gives up at once, from 24.11 on it asks for ever within its start."""
import contextlib

import pytest

from bed import agent, cluster, head, rootfs, suites
from bed.cluster import node_document
from test_head import ADDRESS, CONF, HEAD, home, ready  # noqa: F401

NODE = "queue1-st-t3micro-5"
OLD, NEW = "bookworm", "trixie"
GUARD = 120
pytestmark = pytest.mark.every_suite


@contextlib.contextmanager
def joining(bed, layer, directory, controller, node, prepare=""):
    """Bootstraps a node that must not join; gives its status and what was printed."""
    bed.put("cluster-config.yaml", "munge: {}\nslurm: {}\n")
    with head.Head(directory / "head", cluster.MUNGE_KEY, suite=controller) as ctl:
        if prepare:
            ctl.run(prepare)
            ctl.start_slurmctld()
        box = bed.container(NODE, [layer], suite=node, user_data=node_document(NODE, deadline=f"{GUARD}s")).boot()
        code, printed = agent.bootstrap(box, timeout=GUARD + 30)
        status = agent.status(box)
        assert status.phase == "failed" and status.exit == code != 0, f"{printed}\n{status}\n{ctl.logs()}"
        yield box, status, printed


@pytest.mark.parametrize("controller,node", [(OLD, NEW), (NEW, OLD)])
def test_releases_that_do_not_work_together(bed, layer, tmp_path, controller, node):
    with joining(bed, layer, tmp_path, controller, node) as (box, status, printed):
        assert status.failures() == {"slurm": "slurm-version"}, f"{printed}\n{status}"
        assert f"this machine's slurm-wlm {suites.of(node).slurm}." in printed, printed
        assert f"and slurmctld at '{head.ADDRESS}:6817' are of releases that don't work together" in printed, printed
        # It isn't left asking.
        assert box.run("systemctl is-active slurmd", check=False)[1].strip() in ("inactive", "failed")


@pytest.mark.parametrize("suite", [OLD, NEW])
def test_a_controller_that_is_not_configless(bed, layer, tmp_path, suite):
    off = "sed -i s/enable_configless,// /etc/slurm/slurm.conf && systemctl stop slurmctld"
    with joining(bed, layer, tmp_path, suite, suite, off) as (_, status, printed):
        assert status.failures() == {"slurm": "slurm-not-configless"}, f"{printed}\n{status}"
        assert "ConfigLess mode is disabled" in printed, printed


def test_sackd_brings_a_login_node_its_configuration(bed, layer, tmp_path):
    bed.put("cluster-config.yaml", "munge: {}\nlogin: {}\nmounts: [{source: /srv/nfs/home, path: /home, type: bind}]\n")
    with head.Head(tmp_path / "head", cluster.MUNGE_KEY, suite=NEW) as controller:
        box = bed.container("login-1", [layer, rootfs.sackd()], [f"{controller.export}:/srv/nfs"], suite=NEW,
                            user_data=node_document("login-1", role="login")).boot()
        code, printed = agent.bootstrap(box, timeout=GUARD)
        assert code == 0, printed
        assert box.run("systemctl is-active sackd")[1] == "active\n"
        assert "SLURM_CONF_SERVER" not in box.read("/etc/environment")
        job = box.run("su -l alice -c 'sbatch --parsable --hold --wrap hostname'")[1].strip()
        assert controller.run("squeue -h -o '%i %u'")[1] == f"{job} alice\n"
        assert agent.bootstrap(box, timeout=GUARD)[0] == 0 and agent.status(box).states() == {"ok"}


def test_slurms_own_keys_in_place_of_munge(bed, layer, home):                                              # noqa: F811
    """auth/slurm, of Slurm 24.05 and later: the key is a file of every node's, and there is no munge."""
    conf = CONF.replace("AuthType=auth/munge", "AuthType=auth/slurm\nCredType=auth/slurm")
    indented = "".join(f"        {line}\n" for line in conf.splitlines())
    bed.put("slurm.key", bytes(range(256)) * 4)
    bed.put("cluster-config.yaml", f"""
files:
- {{path: /etc/slurm/slurm.key, source: 's3://{cluster.BUCKET}/{cluster.CLUSTER}/slurm.key', mode: "0600", owner: slurm, group: slurm}}
roles:
  head:
    controller: {{}}
    files:
    - {{path: /etc/slurm/cgroup.conf, content: "{suites.of(NEW).cgroup_conf.strip()}\\n"}}
    - path: /etc/slurm/slurm.conf
      content: |
{indented}
  compute: {{slurm: {{}}}}
""")
    boxes = []
    for name, role in ((HEAD, "head"), (NODE, "compute")):
        document = node_document(name, role=role, munge_key=None, head=ADDRESS if role == "compute" else None)
        box = bed.container(name, [layer], [f"{home}:/home"], suite=NEW, user_data=document)
        for action in ("resume", "suspend"):
            box.put(f"/usr/local/sbin/{action}", "#!/bin/sh\n", 0o755)
        boxes.append(box.boot())
        assert ready(box).of("munge") == set()
        assert box.run("systemctl is-active munge", check=False)[1] == "inactive\n"
    assert boxes[0].run(f"cd /home/alice && runuser -u alice -- srun -w {NODE} hostname", GUARD)[1] == NODE + "\n"
    assert [ready(box).states() for box in boxes] == [{"ok"}, {"ok"}]
    # Another key is refused, and told so.
    bed.put("slurm.key", bytes(range(255, -1, -1)) * 4)
    boxes[1].run("systemctl stop slurmd")
    code, printed = agent.bootstrap(boxes[1], timeout=GUARD)
    assert agent.status(boxes[1]).failures() == {"slurm": "slurm-auth"}, f"{code}\n{printed}"
