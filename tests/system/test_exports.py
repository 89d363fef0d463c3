"""Directories served by the kernel's NFS server of one guest, mounted by the kernel's client of another."""
import pytest

from bed import agent, net
from bed.cluster import Identity, node_document
from bed.proc import wait_until

SERVER, CLIENT, OUTSIDER = "server-1", "server-2", "server-3"
START = 180                     # seconds: a hang guard, many times what it takes on an idle machine
ADDRESS = Identity(SERVER).address

SERVES = f"""
files: [{{path: /shared, state: directory, mode: "0777"}}, {{path: /opt/tools, state: directory}}]
exports: {{networks: [{Identity(CLIENT).address}], read-write: [/home, /shared], read-only: /opt/tools}}
"""
MOUNTS = "mounts:\n" + "".join(
    f"- {{path: {path}, source: '{ADDRESS}:{path}', type: nfs4, timeout: 30s}}\n" for path in ("/home", "/shared", "/opt/tools"))
SPEC = "roles:\n" + "".join(f"  {role}:\n" + "".join(f"    {line}\n" for line in text.strip().splitlines())
                            for role, text in (("head", SERVES), ("login", MOUNTS)))


@pytest.fixture(scope="module")
def spec(session_bed):
    session_bed.put("cluster-config.yaml", SPEC)
    yield SPEC
    session_bed.reset_objects()


def boot(bed, payload, name, role):
    guest = bed.guest(name, payload, user_data=node_document(name, role=role, munge_key=None, head=None))
    agent.start(guest)
    guest.plug_nic()
    return guest


@pytest.fixture(scope="module")
def server(session_bed, payload, spec):
    guest = boot(session_bed, payload, SERVER, "head")
    status = agent.wait_ended(guest, START)
    assert status.phase == "ready", status
    yield guest
    session_bed.terminate(SERVER)


@pytest.fixture(scope="module")
def client(session_bed, payload, server):
    guest = boot(session_bed, payload, CLIENT, "login")
    status = agent.wait_ended(guest, START)
    assert status.phase == "ready", status
    yield guest
    session_bed.terminate(CLIENT)


def test_the_kernel_serves_42_and_nothing_else(server):
    versions = server.read("/proc/fs/nfsd/versions").split()
    assert "+4.2" in versions and not {"+2", "+3", "+4.0", "+4.1"} & set(versions), versions
    assert server.read("/proc/fs/nfsd/nfsv4gracetime") == "10\n"
    assert int(server.read("/proc/fs/nfsd/threads")) == 8


def test_second_run_is_all_ok(server):
    code, printed = agent.bootstrap(server)
    assert (code, agent.status(server).states()) == (0, {"ok"}), printed


def test_a_client_writes_where_it_may(client, server):
    mounts = client.read("/proc/mounts")
    assert mounts.count("vers=4.2") == 3, mounts
    client.run("runuser -u alice -- sh -c 'echo from the client >/shared/alice'")
    assert server.read("/shared/alice") == "from the client\n"
    assert server.run("stat -c %U /shared/alice")[1] == "alice\n"


def test_the_clients_root_is_nobody(client, server):
    client.run("echo x >/shared/roots")
    assert server.run("stat -c %u /shared/roots")[1] == "65534\n"
    assert client.run("touch /home/roots", check=False)[0] == 1


def test_read_only_is_read_only(client):
    code, said = client.run("touch /opt/tools/x", check=False)
    assert code == 1 and "Read-only file system" in said


@pytest.mark.parametrize("version", ["3", "4.0", "4.1"])
def test_other_versions_are_refused(client, version):
    code, said = client.run(f"mount -t nfs -o vers={version},nolock,retry=0,soft,timeo=50 {ADDRESS}:/shared /mnt", 60, check=False)
    assert code == 32, said


def test_who_is_not_in_the_networks_gets_nothing(session_bed, payload, server):
    guest = boot(session_bed, payload, OUTSIDER, "login")
    status = agent.wait_ended(guest, START)
    assert set(status.failures().values()) <= {"mount-refused", "mount-no-export"} and status.failures(), status
    session_bed.terminate(OUTSIDER)


def test_exports_that_were_flushed_are_made_again(client, server):
    server.run("exportfs -au")
    code, printed = agent.bootstrap(server)
    assert code == 0 and agent.status(server).of("exports") == {"changed"}, printed
    assert client.run("cat /shared/alice", 60)[1] == "from the client\n"


def test_another_number_of_threads_is_noticed(server):
    server.run("rpc.nfsd 3")
    code, printed = agent.bootstrap(server)
    assert code == 0 and agent.status(server).of("exports") == {"changed"}, printed
    assert int(server.read("/proc/fs/nfsd/threads")) == 8


def test_a_reboot_stalls_clients_and_loses_nothing(client, server):
    client.run("runuser -u alice -- sh -c 'exec 3>/shared/long; while :; do echo x >&3; sleep 0.2; done' >/dev/null 2>&1 &")
    server.reboot(START)
    assert agent.wait_ended(server, START).phase == "ready"
    size = int(server.run("stat -c %s /shared/long")[1])
    wait_until(lambda: int(server.run("stat -c %s /shared/long")[1]) > size, 60, "the client writes on")
    client.run("pkill -u alice")


def test_a_directory_that_is_not_there(session_bed, server):
    session_bed.put("cluster-config.yaml", SPEC.replace("read-only: /opt/tools", "read-only: /opt/tols"))
    code, printed = agent.bootstrap(server)
    session_bed.put("cluster-config.yaml", SPEC)
    assert code == 1 and agent.status(server).failures() == {"exports": "export-missing"}, printed
    assert "/opt/tols" in printed and "/opt/tols" not in server.read("/etc/exports.d/hpc-node.exports")
    assert "/home" in server.run("exportfs -s")[1]


def test_a_kernel_without_a_server(bed, layer, spec):
    """Containers run on this machine's kernel, which has no nfsd."""
    box = bed.container(CLIENT, [layer], user_data=node_document(CLIENT, role="head", munge_key=None, head=None))
    box.boot()
    code, printed = agent.bootstrap(box)
    assert code == 1 and agent.status(box).failures() == {"exports": "nfs-server"}, printed
