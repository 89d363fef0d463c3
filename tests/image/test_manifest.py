"""The manifest and the SBOM against what dpkg itself says of the same tree."""
import json
import re

import pytest

import disks


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    top = tmp_path_factory.mktemp("manifest")
    tree, base = top / "tree", disks.rootfs.base() / "root"
    (tree / "var/lib/dpkg").mkdir(parents=True)
    (tree / "etc").mkdir()
    status = (base / "var/lib/dpkg/status").read_text()
    gone = "\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n"
    plus = "\nPackage: g++x\nStatus: install ok installed\nArchitecture: amd64\nVersion: 4:1+2~3\nSource: gccx (1.2)\n"
    (tree / "var/lib/dpkg/status").write_text(status + gone + plus)
    (tree / "etc/os-release").write_text((base / "etc/os-release").read_text())
    (tree / "lib/modules/6.1.0-9-test").mkdir(parents=True)
    done = disks.run(disks.PROBE, "manifest", tree, top / "sbom.json")
    assert done.returncode == 0, done.stderr
    shown = disks.run("dpkg-query", f"--admindir={tree}/var/lib/dpkg", "-W", "-f",
                      "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n",
                      check=True)
    installed = sorted(line.split("\t")[1:] for line in shown.stdout.splitlines() if line.startswith("installed\t"))
    return tree, json.loads((tree / "usr/lib/hpc-node/image-manifest.json").read_text()), \
        json.loads((top / "sbom.json").read_text()), installed


def test_the_manifest_names_what_dpkg_names(made):
    _, manifest, _, installed = made
    assert manifest["schema"] == 1 and manifest["package-database"] == "dpkg"
    assert sorted([p["name"], p["version"], p["arch"], p["source"]] for p in manifest["packages"]) == \
        [row[:4] for row in installed]
    assert manifest["slurm"] == next(row[1] for row in installed if row[0] == "slurmd")
    assert manifest["kernels"] == ["6.1.0-9-test"]
    assert (manifest["distribution"], manifest["release"]) == ("debian", "12")
    assert manifest["image"] == {"name": "node", "version": "1.0.0", "arch": "x86_64", "date": "2023-11-14T22:13:20Z",
                                 "recipe-sha256": "aa", "lock-sha256": None, "layers": None}


def test_the_sbom_is_of_spdx_2_3(made):
    _, _, sbom, installed = made
    assert (sbom["spdxVersion"], sbom["dataLicense"], sbom["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", sbom["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sbom["creationInfo"]["created"])
    ids = [package["SPDXID"] for package in sbom["packages"]]
    assert len(set(ids)) == len(ids) == len(installed) + 1
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one) for one in ids)
    related = [(row["spdxElementId"], row["relationshipType"], row["relatedSpdxElement"]) for row in sbom["relationships"]]
    assert related == [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image")] + \
        [("SPDXRef-image", "CONTAINS", one) for one in ids[1:]]
    assert sbom["packages"][0]["checksums"] == [{"algorithm": "SHA256", "checksumValue": "bb"}]


def test_packages_have_their_urls_and_sources(made):
    _, _, sbom, installed = made
    by_name = {package["name"]: package for package in sbom["packages"]}
    assert by_name["g++x"]["externalRefs"][0]["referenceLocator"] == \
        "pkg:deb/debian/g%2B%2Bx@4%3A1%2B2~3?arch=amd64&distro=debian-12"
    assert {(name, by_name[name]["sourceInfo"]) for name, *_ in installed} == \
        {(name, f"built from {source} {version}") for name, _, _, source, version in installed}


def test_a_tree_without_a_database_says_so(tmp_path):
    (tmp_path / "tree").mkdir()
    assert disks.run(disks.PROBE, "manifest", tmp_path / "tree", tmp_path / "sbom").returncode == 0
    manifest = json.loads((tmp_path / "tree/usr/lib/hpc-node/image-manifest.json").read_text())
    assert manifest["package-database"] is None and manifest["packages"] == [] and manifest["slurm"] is None
