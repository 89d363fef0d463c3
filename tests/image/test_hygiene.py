"""Each thing that must not be in an image is found under its name, and what can be cleaned is gone after cleaning."""
import base64
import os
import shutil
import stat

import pytest

import disks

KEY = "-----BEGIN {}PRIVATE KEY-----\n" + base64.b64encode(bytes(range(200))).decode() + "\n-----END {}PRIVATE KEY-----\n"
AWS = "AKIA" + "Q7ZX2M4K9P3R5T6W"

# rule -> what to plant: path -> text, bytes (a mode), or a link's target after "->"
PLANTED = {
    "ssh-host-keys": {"etc/ssh/ssh_host_ed25519_key": "x", "etc/ssh/ssh_host_rsa_key.pub": "x"},
    "machine-id": {"etc/machine-id": "0123456789abcdef0123456789abcdef\n"},
    "dbus-machine-id": {"var/lib/dbus/machine-id": "0123456789abcdef0123456789abcdef\n"},
    "random-seed": {"var/lib/systemd/random-seed": "x"},
    "credential-secret": {"var/lib/systemd/credential.secret": "x"},
    "munge-key": {"etc/munge/munge.key": "x"},
    "slurm-key": {"etc/slurm/slurm.key": "x", "etc/slurm/slurm.jwks": "x"},
    "slurm-state": {"var/spool/slurmd/cred_state": "x"},
    "agent-state": {"var/lib/hpc-node/i-0/scripts/x": "x", "var/lib/hpc-node/provision.json": "{}",
                    "var/lib/hpc-imagebuild/runs/x.jsonl": "{}"},
    "authorized-keys": {"root/.ssh/authorized_keys": "x", "home/alice/.ssh/authorized_keys2": "x",
                        "srv/bob/.ssh/authorized_keys": "x"},
    "ssh-client": {"root/.ssh/id_ed25519": "x", "home/alice/.ssh/known_hosts": "x"},
    "histories": {"root/.bash_history": "x", "home/alice/.python_history": "x", "root/.lesshst": "x",
                  "root/.mysql_history": "x"},
    "user-credentials": {"root/.aws/credentials": "x", "home/alice/.netrc": "x", "root/.docker/config.json": "{}"},
    "kerberos-keytab": {"etc/krb5.keytab": "x"},
    "cloud-init-state": {"var/lib/cloud/instance-id": "i-0", "var/log/cloud-init.log": "x"},
    "service-registrations": {"var/lib/amazon/ssm/registration": "x"},
    "logs": {"var/log/apt/history.log": "x", "var/log/journal/0123/system.journal": "x", "var/log/wtmp": ""},
    "crash-dumps": {"var/crash/x.crash": "x", "var/lib/systemd/coredump/core.x": "x"},
    "temporary-files": {"tmp/x": "x", "var/tmp/d/x": "x", "tmp/.hidden": "x"},
    "dhcp-leases": {"var/lib/dhcp/dhclient.eth0.leases": "x"},
    "network-names": {"etc/udev/rules.d/70-persistent-net.rules": "x"},
    "hostname": {"etc/hostname": "builder\n"},
    "resolv-conf": {"etc/resolv.conf": "nameserver 192.0.2.1\n"},
    "package-caches": {"var/lib/apt/lists/x_Packages": "x", "var/cache/apt/archives/x.deb": "x"},
    "package-history": {"var/lib/dnf/history.sqlite": "x"},
    "package-credentials": {"etc/apt/auth.conf": "x", "etc/apt/auth.conf.d/y.conf": "x"},
    "repository-userinfo": {"etc/apt/sources.list": "deb https://user:secret@repo.example.com/debian bookworm main\n"},
    "build-proxies": {"etc/apt/apt.conf.d/50proxy": 'Acquire::http::Proxy "http://192.0.2.1:3128";\n',
                      "etc/environment": "# ours\nhttps_proxy=http://192.0.2.1:3128\n"},
    "build-policies": {"usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n", "etc/dpkg/dpkg.cfg.d/99mmdebstrap": "x"},
    "swap-files": {"swapfile": "x"},
    "aws-keys": {"opt/app/config.ini": f"id = {AWS}\n", "opt/app/large": "x" * ((1 << 20) - 10) + f"\n{AWS}\n" + "y" * 5000},
    "private-keys": {"opt/app/key.pem": KEY.format("RSA ", "RSA "), "etc/ssl/private/x.key": KEY.format("", ""),
                     "opt/app/id": KEY.format("OPENSSH ", "OPENSSH ")},
    "setuid-files": {"usr/local/bin/root-shell": 0o4755, "usr/local/bin/group": 0o2755},
    "world-writable": {"etc/anyone": 0o666},
    "enabled-units": {"etc/systemd/system/multi-user.target.wants/slurmd.service": "->/lib/systemd/system/slurmd.service",
                      "etc/systemd/system/multi-user.target.wants/munge.service": "->/lib/systemd/system/munge.service"},
}
CLEANED = [rule for rule in PLANTED if rule not in
           ("repository-userinfo", "build-proxies", "aws-keys", "private-keys", "setuid-files", "world-writable",
            "enabled-units")]


@pytest.fixture
def tree(tmp_path):
    """A tree with things that look like what is looked for, and are not."""
    top = tmp_path / "tree"
    for path, text in {
            "etc/machine-id": "", "etc/hostname": "localhost\n",
            "etc/passwd": "root:x:0:0::/root:/bin/sh\nbob:x:5:5::/srv/bob:/bin/sh\ndaemon:x:1:1::/:/bin/false\nbroken\n",
            "etc/apt/sources.list": "deb https://deb.example.com/debian bookworm main\n",
            "etc/environment": "# http_proxy=http://192.0.2.1\nPATH=/bin\n",
            "usr/share/doc/aws": "AKIAIOSFODNN7EXAMPLE XAKIA" + "Q7ZX2M4K9P3R5T6W " + AWS + "9 AKIAshort",
            "usr/bin/reads-keys": "-----BEGIN RSA PRIVATE KEY-----\0-----BEGIN PRIVATE KEY-----\n%s",
            "etc/ssl/cert.pem": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "usr/bin/su": "x"}.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    (top / "usr/bin/su").chmod(0o4755)
    for directory in ("var/log/apt", "tmp", "var/tmp", "root/.ssh", "etc/ssh", "var/lib/apt/lists", "var/lib/hpc-agent"):
        (top / directory).mkdir(parents=True, exist_ok=True)
    (top / "tmp").chmod(0o1777)
    (top / "etc/resolv.conf").symlink_to("/run/systemd/resolve/stub-resolv.conf")
    wants = top / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "hpc-agent.service").symlink_to("/usr/lib/systemd/system/hpc-agent.service")
    return top


def look(tree, *allow):
    """What is found, as (rule, path), and the message it fails with."""
    done = disks.run(disks.PROBE, "look", tree, *allow)
    assert done.returncode == (3 if done.stdout else 0), done.stderr
    return [tuple(line.split(" ", 1)) for line in done.stdout.splitlines()], done.stderr


def plant(tree, rule):
    for path, what in (rule if isinstance(rule, dict) else PLANTED[rule]).items():
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(what, str) and what.startswith("->"):
            file.symlink_to(what[2:])
            continue
        if file.is_symlink():
            file.unlink()
        file.write_text(what if isinstance(what, str) else "x")
        if isinstance(what, int):
            file.chmod(what)


LINKED = ["ssh-host-keys", "machine-id", "munge-key", "authorized-keys", "logs", "cloud-init-state", "build-proxies",
          "enabled-units", "user-credentials"]


@pytest.mark.parametrize("rule", LINKED)
def test_what_lies_behind_a_link_is_found_too(tree, rule):
    """Where the tree's /etc, /var or /root is a link, that's still what programs look into."""
    (tree / "data").mkdir()
    for name in ("etc", "root"):
        (tree / name).rename(tree / "data" / name)
        (tree / name).symlink_to(f"/data/{name}")
    (tree / "var").rename(tree / "data/v[a]r*")
    (tree / "var").symlink_to("data/v[a]r*")
    assert look(tree)[0] == []
    inside = {f"data/{path}".replace("data/var/", "data/v[a]r*/") if path.startswith(("etc/", "root/", "var/")) else path: what
              for path, what in PLANTED[rule].items()}
    plant(tree, inside)
    found, said = look(tree)
    assert {r for r, _ in found} == {rule} and rule in said, said
    if rule in CLEANED:
        assert disks.run(disks.PROBE, "clean", tree).returncode == 0
        assert look(tree)[0] == []


def test_what_is_planted_are_rules():
    """Each of the others is planted in tests/unit/look/test_hygiene.c."""
    assert set(PLANTED) <= set(disks.run(disks.PROBE, "rules").stdout.split())


def test_a_clean_tree_has_nothing(tree):
    assert look(tree)[0] == []


@pytest.mark.parametrize("rule", PLANTED)
def test_what_is_planted_fails_by_name(tree, rule):
    plant(tree, rule)
    found, message = look(tree)
    assert {name for name, _ in found} == {rule}, found
    tops = [path for _, path in found]
    for path in PLANTED[rule]:
        assert any(f"/{path}" == top or f"/{path}".startswith(top + "/") for top in tops), (path, tops)
    assert message.startswith(f"{rule}: '{found[0][1]}'"), message
    assert AWS not in message


@pytest.mark.parametrize("rule", CLEANED)
def test_cleaning_removes_it(tree, rule):
    plant(tree, rule)
    done = disks.run(disks.PROBE, "clean", tree)
    assert done.returncode == 0, done.stderr
    assert look(tree)[0] == []
    assert (tree / "var/log/apt").is_dir() and (tree / "tmp").is_dir(), "directories stay"
    assert stat.S_IMODE(os.stat(tree / "tmp").st_mode) == 0o1777


def test_cleaning_leaves_what_a_person_has_to_decide(tree):
    plant(tree, "private-keys")
    assert disks.run(disks.PROBE, "clean", tree).returncode == 0
    assert (tree / "opt/app/key.pem").exists() and len(look(tree)[0]) == 3


def test_what_is_declared_is_allowed(tree):
    plant(tree, "authorized-keys")
    plant(tree, "enabled-units")
    allow = ("authorized-keys:/root/.ssh/*", "authorized-keys:/srv/*/.ssh/authorized_keys", "enabled-units:slurmd.service")
    assert [path for _, path in look(tree, *allow)[0]] == [
        "/home/alice/.ssh/authorized_keys2", "/etc/systemd/system/multi-user.target.wants/munge.service"]
    assert disks.run(disks.PROBE, "clean", tree, *allow).returncode == 0
    assert (tree / "root/.ssh/authorized_keys").exists()
    assert not (tree / "home/alice/.ssh/authorized_keys2").exists()


def test_links_lead_nowhere(tree, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text(AWS)
    for path in ("var/log/out", "tmp/out", "root/.aws"):
        (tree / path).symlink_to(outside)
    shutil.rmtree(tree / "var/tmp")
    (tree / "var/tmp").symlink_to(outside)
    assert disks.run(disks.PROBE, "clean", tree).returncode == 0
    assert (outside / "keep").read_text() == AWS
    assert not (tree / "root/.aws").is_symlink()


def test_a_real_tree_comes_clean(tmp_path):
    """Debian with Slurm as mmdebstrap leaves it: all that is found can be cleaned, and nothing else is taken for a secret."""
    tree = tmp_path / "real"
    disks.run("cp", "-a", disks.rootfs.base() / "root", tree, check=True)
    before = {rule for rule, _ in look(tree)[0]}
    assert {"munge-key", "logs"} <= before
    assert disks.run(disks.PROBE, "clean", tree).returncode == 0
    left = look(tree)[0]
    assert {rule for rule, _ in left} <= {"enabled-units"}, left
    assert {os.path.basename(path) for _, path in left} <= {"munge.service", "nfs-server.service", "slurmd.service",
                                                          "slurmctld.service"}, left
