"""What `cmake --install` puts where, from a release build: size, libraries, hardening, relative paths."""
import os
import re
import subprocess

import pytest

SIZE_MAX = 560 * 1024
NAMED = {"libcurl.so.4", "libcjson.so.1", "libmount.so.1", "libblkid.so.1", "libnftnl.so.11", "libmnl.so.0", "libsystemd.so.0", "libyaml-0.so.2",
         "libcrypto.so.3", "libz.so.1", "libc.so.6"}


def run(*args, **env):
    r = subprocess.run(args, env=dict(os.environ, CFLAGS="", LDFLAGS="", LC_ALL="C.UTF-8", **env), capture_output=True, text=True)
    assert r.returncode == 0, r.stdout[-3000:] + r.stderr[-3000:]
    return r.stdout


@pytest.fixture(scope="module")
def build(source, tmp_path_factory):
    build = tmp_path_factory.mktemp("release")
    run("cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
        "-DBUILD_TESTING=OFF", "-DCMAKE_INSTALL_PREFIX=/usr", "-DHPC_WERROR=ON")
    run("ninja", "-C", build, "-j2")
    return build


@pytest.fixture(scope="module")
def tree(build, tmp_path_factory):
    dest = tmp_path_factory.mktemp("dest")
    run("cmake", "--install", build, "--strip", DESTDIR=str(dest))
    return dest


PACKAGES = ["hpc-agent", "hpc-cluster", "hpc-fleet", "hpc-imagebuild"]
# Where each is told apart: the agent's package has the units, the builder's the recipes.
OWN = {"hpc-agent": {"usr/sbin/hpc-agent", "usr/lib/systemd/system/hpc-agent.service", "usr/lib/modules-load.d/hpc-agent.conf",
                     "usr/share/man/man8/hpc-agent.8.gz",
                     "usr/share/man/man5/hpc-node.5.gz", "usr/share/bash-completion/completions/hpc-agent"},
       "hpc-fleet": {"usr/sbin/hpc-fleet", "usr/lib/systemd/system/hpc-fleet.service", "usr/lib/hpc-node/slurm-resume",
                     "usr/lib/hpc-node/slurm-suspend", "usr/lib/hpc-node/slurm-resume-fail", "usr/share/man/man8/hpc-fleet.8.gz",
                     "usr/share/bash-completion/completions/hpc-fleet"},
       "hpc-cluster": {"usr/bin/hpc-cluster", "usr/share/hpc-cluster/instance-types.tsv", "usr/share/man/man1/hpc-cluster.1.gz",
                       "usr/share/bash-completion/completions/hpc-cluster"},
       "hpc-imagebuild": {"usr/sbin/hpc-imagebuild", "usr/share/hpc-node/recipes/compute.yaml",
                          "usr/share/hpc-node/image/hpc-agent.service",
                          "usr/share/hpc-node/recipe.schema.json", "usr/share/man/man8/hpc-imagebuild.8.gz",
                          "usr/share/bash-completion/completions/hpc-imagebuild"}}


@pytest.fixture(scope="module")
def packages(build):
    """What `./dev package` makes: {(name, "deb" | "rpm"): path}."""
    for generator in ("DEB", "RPM"):
        subprocess.run(["cpack", "-G", generator], cwd=build, check=True, capture_output=True)
    made = {(re.match(r"[a-z-]+[a-z]", p.name).group(0), p.suffix[1:]): p for p in [*build.glob("*.deb"), *build.glob("*.rpm")]}
    assert sorted(made) == sorted((n, s) for n in PACKAGES for s in ("deb", "rpm"))
    return made


def files_below(root):
    return {os.path.relpath(os.path.join(d, f), root) for d, _, fs in os.walk(root) for f in fs}


def others(name):
    return set().union(*(OWN[other] for other in PACKAGES if other != name))


@pytest.mark.parametrize("name", PACKAGES)
def test_deb_in_a_fresh_root(packages, name, tmp_path):
    root = tmp_path / "root"
    for sub in ("info", "updates", "triggers"):
        (root / "var/lib/dpkg" / sub).mkdir(parents=True)
    for empty in ("status", "available"):
        (root / "var/lib/dpkg" / empty).write_text("")
    dpkg = ["dpkg", f"--root={root}", "--force-depends", "--force-not-root", "--force-script-chrootless"]
    run(*dpkg, "-i", packages[name, "deb"])
    installed = {f for f in files_below(root) if f.startswith("usr/")}
    assert OWN[name] <= installed and not (others(name) & installed)
    assert not any("systemd/system/" in f and ".wants/" in f for f in files_below(root)), "it enables something"
    version = run(next(root / f for f in OWN[name] if f.endswith(f"bin/{name}")), "version")
    assert version.startswith(name)
    run(*dpkg, "-P", name)
    assert not {f for f in files_below(root) if not f.startswith("var/lib/dpkg/")}


@pytest.mark.parametrize("name", PACKAGES)
def test_rpm_in_a_fresh_root(packages, name, tmp_path):
    root = tmp_path / "root"
    (root / "tmp").mkdir(parents=True)
    rpm = ["rpm", "--root", root, "--dbpath", "/var/lib/rpm"]
    run(*rpm, "--initdb")
    run(*rpm, "-i", "--nodeps", packages[name, "rpm"])
    installed = {f for f in files_below(root) if f.startswith("usr/")}
    assert OWN[name] <= installed and not (others(name) & installed)
    run(*rpm, "-e", name)
    assert not {f for f in files_below(root) if not f.startswith("var/lib/rpm/")}
    assert "Apache-2.0" in run("rpm", "-qpi", packages[name, "rpm"])


@pytest.mark.parametrize("name", PACKAGES)
def test_deb_is_clean(packages, name):
    said = run("lintian", "--no-cfg", "--allow-root", "--tag-display-limit", "0", "--fail-on", "error,warning", packages[name, "deb"])
    assert not re.findall(r"^[EW]: .*", said, flags=re.M)


@pytest.mark.parametrize("name", PACKAGES)
def test_what_deb_needs_is_debians(packages, name):
    """apt finds all of it; nothing is installed here."""
    run("apt-get", "-s", "--no-install-recommends", "install", packages[name, "deb"])


def test_no_node_is_without_its_lock(packages):
    """What locks the metadata service comes with the package, whatever else is left out."""
    needs = run("dpkg-deb", "-f", packages["hpc-agent", "deb"], "Depends")
    assert "libnftnl11" in needs and "libmnl0" in needs, needs
    assert "libnftnl.so.11" in run("rpm", "-qpR", packages["hpc-agent", "rpm"])


@pytest.fixture(scope="module")
def installed(tree):
    path = tree / "usr/sbin/hpc-agent"
    assert path.is_file() and os.access(path, os.X_OK)
    return path


def readelf(path, *what):
    return subprocess.run(["readelf", "-W", *what, path], capture_output=True, text=True,
                          check=True).stdout


def test_size(installed):
    assert installed.stat().st_size < SIZE_MAX


def test_libraries_are_the_named_ones(installed):
    needed = set(re.findall(r"\(NEEDED\).*\[(.*?)\]", readelf(installed, "-d")))
    assert needed <= NAMED, needed - NAMED
    assert not re.search(r"\((RPATH|RUNPATH)\)", readelf(installed, "-d"))


def test_hardening(installed):
    dynamic, headers = readelf(installed, "-d"), readelf(installed, "-lh")
    assert "DYN (" in headers and "GNU_RELRO" in headers
    assert re.search(r"FLAGS_1\).*NOW", dynamic) and re.search(r"FLAGS_1\).*PIE", dynamic)
    assert re.search(r"GNU_STACK.* RW ", headers), "executable stack"
    symbols = readelf(installed, "--dyn-syms")
    assert "__stack_chk_fail" in symbols and re.search(r"__\w+_chk@", symbols)
    for banned in ("strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "system",
                   "popen", "mktemp", "gets", "localtime"):
        assert not re.search(rf"\bUND {banned}@", symbols), banned


def test_no_path_of_the_builder(installed, source):
    with open(installed, "rb") as f:
        assert source.encode() not in f.read()


def test_where_things_are(tree):
    names = {os.path.relpath(os.path.join(d, f), tree) for d, _, fs in os.walk(tree) for f in fs}
    for want in ("usr/sbin/hpc-agent", "usr/lib/systemd/system/hpc-agent.service",
                 "usr/lib/systemd/system/hpc-node-ready.target", "usr/lib/hpc-node/slurm-prolog-wait",
                 "usr/lib/systemd/system/slurmctld.service.d/10-hpc-node.conf",
                 "usr/share/bash-completion/completions/hpc-agent"):
        assert want in names, (want, sorted(names))
    assert any(re.match(r"usr/share/man/man[18]/hpc-agent\.[18]", n) for n in names)
    assert all(n.startswith("usr/") for n in names), sorted(names)


def test_it_runs(installed):
    r = subprocess.run([installed, "version"], capture_output=True, text=True, timeout=30)
    assert r.returncode == 0 and re.search(r"\d+\.\d+\.\d+", r.stdout)


def test_units_verify(tree):
    units = tree / "usr/lib/systemd/system"
    for name in ("hpc-agent.service", "hpc-fleet.service", "hpc-node-ready.target", "hpc-ssh-host-keys.service", "hpc-dkms-key.service",
                 "hpc-snakeoil-certificate.service"):
        r = subprocess.run(["systemd-analyze", "verify", "--man=no", units / name],
                           capture_output=True, text=True)
        bad = [line for line in r.stderr.splitlines()
               if "hpc-" in line and "is not executable" not in line]
        assert not bad, bad
