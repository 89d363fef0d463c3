"""Recipes: the shipped ones are good, parts join as told."""
import glob
import json
import re
import subprocess

import pytest
import yaml


def test_shipped_recipes_are_good(tool, source):
    recipes = sorted(glob.glob(source + "/recipes/*.yaml"))
    r = tool("check", *recipes)
    assert r.code == 0 and r.err == "", r.err
    assert len(r.out.splitlines()) == len(recipes) >= 6
    for role in ("compute", "head", "login", "common"):
        assert re.search(rf"/{role}\.yaml: ok: image {role} .* [1-9]\d* tests", r.out), role


def write(folder, **texts):
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / f"{next(iter(texts))}.yaml"


def steps(tool, path):
    r = tool("plan", path, "--json")
    assert r.code == 0, r.err
    return [s["id"] for s in json.loads(r.out) if s["type"] == "step"]


def test_included_texts_lie_under_the_including_one(tool, tmp_path):
    path = write(
        tmp_path,
        top="image: {name: top}\ninclude: [left.yaml, right.yaml]\nsysctl: {kernel.panic: 5}\npackages: [c]\n",
        left="include: [base.yaml]\npackages: {names: [b], update: never}\n",
        right="include: [base.yaml]\nfiles: [{path: /etc/r, content: r}]\n",
        base="image: {name: base, version: 2.0.0, disk: {size: 8G}}\npackages: [a]\nsysctl: {kernel.panic: 1}\n"
             "files: [{path: /etc/b, content: b}]\n")
    assert steps(tool, path) == ["packages", "sysctl", "files:/etc/b", "files:/etc/r"]
    assert "image top 2.0.0, 4 steps" in tool("check", path).out


def test_from_another_recipe(tool, tmp_path):
    path = write(tmp_path, top="image: {name: top, from: base.yaml}\n", base="image: {name: base}\npackages: [a]\n")
    assert tool("check", path).code == 0
    (tmp_path / "base.yaml").write_text("image: {name: base}\npackage: [a]\n")
    r = tool("check", path)
    assert r.code == 3 and "base.yaml:2:1: unknown section 'package', did you mean 'packages'?" in r.err


def test_facts(tool, tmp_path):
    path = write(tmp_path, top="image: {name: top}\nfiles: [{path: '/etc/${name}-${site}', content: x}]\n")
    assert tool("check", path).code == 3
    assert steps_with(tool, path, "site=here") == ["files:/etc/top-here"]
    assert tool("check", path, "--set", "site").code == 2


def steps_with(tool, path, fact):
    return [s["id"] for s in json.loads(tool("plan", path, "--json", "--set", fact).out) if s["type"] == "step"]


def test_image_configuration_of_parallelcluster(tool, tmp_path):
    path = tmp_path / "image.yaml"
    path.write_text("""Region: eu-west-1
Build:
  InstanceType: c5.large
  ParentImage: ami-0123456789abcdef0
  UpdateOsPackages: {Enabled: yes}
  Components:
    - &one {Type: script, Value: "s3://tools/a.sh"}
    - *one
""")
    r = tool("check", path)
    assert r.code == 0 and "2 components, UpdateOsPackages" in r.out, r.err
    for place, key in (("1:9", "Region"), ("3:17", "Build.InstanceType"), ("4:16", "Build.ParentImage")):
        assert f"{path}:{place}: '{key}' is left out: " in r.out
    r = tool("plan", path)
    assert r.code == 0 and r.out.splitlines()[0].split() == ["1", "UpdateOsPackages"], r.out
    assert "component-2  s3://tools/a.sh  after component-1" in r.out and "'Region' is left out" in r.err
    assert [s["id"] for s in json.loads(tool("plan", "--json", path).out)] == ["UpdateOsPackages", "component-1", "component-2"]
    path.write_text("Region: \nBuild: {ParentImage: x, InstanceType: , Components: [], Componets: []}\n")
    r = tool("check", path)
    assert r.code == 3 and "'InstanceType' is missing" in r.err and "did you mean 'Components'" in r.err, r.err


def test_unreadable(tool, tmp_path):
    r = tool("check", tmp_path / "none.yaml")
    assert r.code == 3 and "none.yaml" in r.err
    r = tool("check", tmp_path)
    assert r.code == 3, r.err


@pytest.fixture(scope="module")
def schema(program):
    import jsonschema
    text = subprocess.run([program, "schema"], capture_output=True, check=True).stdout
    document = json.loads(text)
    jsonschema.Draft7Validator.check_schema(document)
    return jsonschema.Draft7Validator(document)


def test_schema_takes_the_shipped_recipes(schema, source):
    for path in sorted(glob.glob(source + "/recipes/*.yaml")):
        with open(path, encoding="utf-8") as f:
            schema.validate(yaml.safe_load(f))


def test_schema_refuses_slips(schema):
    for text in ("image: {nme: x}", "package: [a]", "munge: {}", "image: {name: x, disk: {boot: bios}}",
                 "tests: [{expect: {}}]", "units: [{state: started}]", "copy: [{from: a}]", "files: {path: /x}",
                 "packages: [{name: a}]", "files: [{path: /x, match: {arhc: arm64}}]", "tests: [{run: [{name: a, match: {arch: arm64}}]}]"):
        assert not schema.is_valid(yaml.safe_load(text)), text
    for text in ("image: {name: x}", "packages: {names: [a], update: never}", "packages: a", "include: a.yaml",
                 "units: [{name: a.service, enabled: false}]", "sysctl: {kernel.panic: 1}",
                 "packages: [a, {name: b, match: {arch: arm64}}]", "packages: {names: [{name: b, match: {distribution: debian}}]}",
                 "include: [{name: a.yaml, match: {arch: arm64}}]", "components: [{file: a.yaml, match: {arch: arm64}}]",
                 "files: [{path: /x, content: y, match: {distribution: [debian, ubuntu:noble]}}]"):
        assert schema.is_valid(yaml.safe_load(text)), text
