"""Files that the documents name are there, and their folders are as small as they say."""
import collections
import os
import re
from pathlib import Path

import pytest

SOURCE = Path(os.environ.get("HPC_SOURCE") or Path(__file__).resolve().parents[2])
DOCUMENTS = sorted([*SOURCE.glob("*.md"), *SOURCE.glob("docs/*.md")])
# Names in capitals stand for what the reader chooses: test_NAME.c.
PATH = re.compile(r"`((?:agent|cluster|docs|fleet|imagebuilder|lib|cmake|tests|recipes|units|packer)/[\w./*-]+)`")

# A source file by its name alone, after its folder was named.
NAME = re.compile(r"`([a-z]\w*\.[ch])`")
CODE = ("agent", "cluster", "fleet", "imagebuilder", "lib", "tests")
OURS = {path.name for folder in CODE for path in (SOURCE / folder).rglob("*.[ch]")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_named_files_exist(document):
    missing = [path for path in PATH.findall(document.read_text())
               if not re.search(r"[A-Z]{4,}(?!\.md)", re.sub(r"docs/[A-Z-]+\.md", "", path)) and not list(SOURCE.glob(path.rstrip("/")))]
    missing += sorted({name for name in NAME.findall(document.read_text()) if name not in OURS})
    assert not missing, f"{document.name} names files that aren't there: {missing}"


def test_there_are_documents():
    assert len(DOCUMENTS) > 5 and sum(len(PATH.findall(d.read_text())) for d in DOCUMENTS) > 20


# CODING_STYLE.md, law 7.
def test_folders_and_files_stay_small():
    files = [path for part in CODE for path in (SOURCE / part).rglob("*.c")]
    assert len(files) > 100
    folders = collections.Counter(path.parent for path in files)
    assert not {str(folder): n for folder, n in folders.items() if n > 22}, "folders of more than about twenty modules"
    lines = {path: len(path.read_text().splitlines()) for path in files if SOURCE / "tests" not in path.parents}
    assert not {str(path): n for path, n in lines.items() if n >= 500}, "files of 500 lines and more"
