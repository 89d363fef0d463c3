"""Users of a directory on every role: sssd set up by the agent, a real slapd that only the reader may read."""
import pytest

from bed import agent, rootfs, suites
from bed.cluster import CLUSTER
from bed.proc import wait_until
from test_head import ADDRESS, FILE, GUARD, STATIC, home, machine, ready, store  # noqa: F401

PASSWORD = "p #a;ss=w'rd %d"
CONF = "/etc/sssd/sssd.conf"
READER = "cn=reader,dc=nodomain"
SERVER = f"""dn: olcDatabase={{1}}mdb,cn=config
changetype: modify
replace: olcRootPW
olcRootPW: admin
-
replace: olcAccess
olcAccess: {{0}}to attrs=userPassword by anonymous auth by * none
olcAccess: {{1}}to * by dn.exact={READER} read by * none
"""
ENTRIES = f"""dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {PASSWORD}

dn: uid=anna,dc=nodomain
objectClass: account
objectClass: posixAccount
uid: anna
cn: Anna
uidNumber: 7001
gidNumber: 7000
homeDirectory: /home/anna

dn: cn=staff7,dc=nodomain
objectClass: posixGroup
cn: staff7
gidNumber: 7000
"""


@pytest.fixture
def directory(machine, store, monkeypatch):                                                                # noqa: F811
    """A head to be, which also has the directory's server; directory(name, role) is another node."""
    monkeypatch.setitem(agent.ENVIRONMENT, "AWS_ENDPOINT_URL_SECRETS_MANAGER", store.url)
    arn = store.secret("ad", PASSWORD + "\n")
    service = f"""
DirectoryService:
  DomainName: dc=nodomain
  DomainAddr: ldap://{ADDRESS}
  PasswordSecretArn: '{arn}'
  DomainReadOnlyUser: {READER}
  LdapTlsReqCert: never
  AdditionalSssdConfigs: {{ldap_schema: rfc2307, ldap_id_mapping: False, ldap_id_use_start_tls: False}}
"""
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", (FILE + service).encode())

    def make(name="server-1", role="head", **document):
        return machine(name, role, layers=[rootfs.directory()], **document)
    return make


def knows_anna(box):
    # sssd's unit on Debian 13 lets root's group read it.
    assert box.run(f"stat -c '%a %U:%G' {CONF}")[1] == {"bookworm": "600", "trixie": "640"}[suites.OWN] + " root:root\n"
    assert box.run("getent passwd anna")[1] == "anna:*:7001:7000:Anna:/home/anna:/bin/bash\n"
    assert "gid=7000(staff7)" in box.run("id anna")[1]


@pytest.mark.every_suite
def test_users_of_a_directory_on_every_role(directory, home):                                              # noqa: F811
    controller = directory(node=None)
    controller.put("/root/server.ldif", SERVER)
    controller.put("/root/entries.ldif", ENTRIES)
    controller.run("systemctl start slapd", GUARD)
    wait_until(lambda: controller.run("ldapwhoami -Q -Y EXTERNAL -H ldapi:///", check=False)[0] == 0, GUARD, "slapd answers")
    controller.run("ldapmodify -Q -Y EXTERNAL -H ldapi:/// -f /root/server.ldif && "
                   "ldapadd -x -D cn=admin,dc=nodomain -w admin -f /root/entries.ldif && rm /root/*.ldif", GUARD)
    status = ready(controller)
    assert status.of("directory") == {"changed"}
    knows_anna(controller)
    assert controller.run("sssctl config-check", check=False) == (0, "Issues identified by validators: 0\n\n"
                                                                  "Messages generated during configuration merging: 0\n\n"
                                                                  "Used configuration snippet files: 0\n")
    assert "enable_nss_slurm" in controller.run("scontrol show config | grep ^LaunchParameters")[1]
    # The first session makes the home and the key, and the second one leaves them alone.
    controller.run("su - anna -c true")
    made = (home / "anna/.ssh/id_ed25519.pub").read_text()
    controller.run("su - anna -c true")
    assert (home / "anna/.ssh/authorized_keys").read_text() == made
    assert controller.run("stat -c '%a %u' /home/anna/.ssh/id_ed25519")[1] == "600 7001\n"
    before = controller.run("systemctl show -p InvocationID --value sssd")[1]
    assert ready(controller).states() == {"ok"} and controller.run("systemctl show -p InvocationID --value sssd")[1] == before
    told = controller.run("journalctl -b --no-pager -o verbose; cat /run/hpc-node/*; hpc-agent facts", GUARD, check=False)[1]
    assert "sssd" in told and PASSWORD[:4] not in told and PASSWORD[-6:] not in told

    node = directory(STATIC.replace("st", "dy"), "compute")
    code, printed = agent.bootstrap(node, timeout=GUARD)
    assert agent.status(node).of("directory") == {"changed"}, f"{code}\n{printed}"
    knows_anna(node)
    assert node.run("test -e /usr/lib/hpc-node/ssh-user-key", check=False)[0] == 1
    login = directory("login-1", "login")
    code, printed = agent.bootstrap(login, timeout=GUARD)
    assert agent.status(login).of("directory") == {"changed"}, f"{code}\n{printed}"
    knows_anna(login)
