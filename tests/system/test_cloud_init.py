"""Beside Debian's cloud-init: the recommended user data leaves it done, and what the agent sets is what stays."""
import pytest

from bed import agent, rootfs, suites
from bed.cluster import node_document

NODE = "queue1-st-t3micro-5"
SPEC = """hostname: agents-name
users: [{name: carol, uid: 1701}]
"""
# Its stage that sets up hostname, users and files: since 24.3 that has another name.
STAGE = {"bookworm": "cloud-init.service", "trixie": "cloud-init-network.service"}[suites.OWN]
SEED = "/var/lib/cloud/seed/nocloud"


def cloud_config(document, more=""):
    indented = "".join(f"    {line}\n" for line in document.splitlines())
    return f"#cloud-config\n{more}write_files:\n- path: /etc/hpc-node/node.yaml\n  content: |\n{indented}"


@pytest.fixture
def machine(bed, layer):
    """machine(user_data): booted as a stock image with cloud-init is, the agent's unit enabled."""
    def make(user_data):
        bed.put("cluster-config.yaml", SPEC)
        box = bed.container(NODE, [layer, rootfs.cloud_init()], user_data=user_data)
        box.put("/etc/cloud/cloud.cfg.d/99-bed.cfg", "datasource_list: [NoCloud]\nnetwork: {config: disabled}\n"
                # What a small image has no locale, SSH server or archive for warns by itself.
                "cloud_init_modules: [write-files, set_hostname, update_hostname, users-groups]\n"
                "cloud_config_modules: [runcmd]\ncloud_final_modules: [scripts_user, final_message]\n")
        box.put(f"{SEED}/meta-data", "instance-id: i-1\nlocal-hostname: clouds-name\n")
        box.put(f"{SEED}/user-data", user_data)
        box.run_inside_tree("systemctl", "enable", agent.UNIT)
        return box.boot()
    return make


def end_of_cloud_init(box):
    box.run("cloud-init status --wait", 90, check=False)
    said = box.run("cloud-init status --long", check=False)[1]
    warned = box.run("grep -E 'WARNING|ERROR|CRITICAL' /var/log/cloud-init.log", check=False)[1]
    return said, warned


def monotonic(box, unit, field):
    return int(box.run(f"systemctl show -p {field} --value {unit}")[1])


@pytest.mark.every_suite
def test_recommended_form(machine):
    more = "hostname: other-name\nusers: [{name: dave}]\nruncmd: ['cat /etc/hostname > /run/runcmd-saw']\n"
    box = machine(cloud_config(node_document(NODE, head=None), more))
    status = agent.wait_ended(box, 60)
    assert status.phase == "ready", status
    said, warned = end_of_cloud_init(box)
    assert "status: done" in said and not warned, f"{said}\n{warned}"
    # cloud-init has written the same document, and done its own work.
    assert box.read("/etc/hpc-node/node.yaml") == node_document(NODE, head=None)
    assert box.run("id -u dave", check=False)[0] == 0 and box.run("id -u carol")[1].strip() == "1701"
    # The agent comes behind hostname, users and files, and before the commands.
    assert box.run("hostname")[1].strip() == "agents-name" == box.read("/run/runcmd-saw").strip()
    begun = monotonic(box, agent.UNIT, "ExecMainStartTimestampMonotonic")
    assert 0 < monotonic(box, STAGE, "ExecMainExitTimestampMonotonic") <= begun
    ready = monotonic(box, agent.UNIT, "ActiveEnterTimestampMonotonic")
    assert 0 < ready <= monotonic(box, "cloud-final.service", "ExecMainStartTimestampMonotonic")


def test_our_own_form_works_and_is_warned_of(machine):
    """Why the other form is recommended."""
    box = machine(node_document(NODE, head=None))
    assert agent.wait_ended(box, 60).phase == "ready"
    _, warned = end_of_cloud_init(box)
    assert "Unhandled non-multipart" in warned
