"""Files that the documents name are there."""
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
OURS = {path.name for folder in ("agent", "cluster", "fleet", "imagebuilder", "lib", "tests") for path in (SOURCE / folder).rglob("*.[ch]")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_named_files_exist(document):
    missing = [path for path in PATH.findall(document.read_text())
               if not re.search(r"[A-Z]{4,}(?!\.md)", re.sub(r"docs/[A-Z-]+\.md", "", path)) and not list(SOURCE.glob(path.rstrip("/")))]
    missing += sorted({name for name in NAME.findall(document.read_text()) if name not in OURS})
    assert not missing, f"{document.name} names files that aren't there: {missing}"


def test_there_are_documents():
    assert len(DOCUMENTS) > 5 and sum(len(PATH.findall(d.read_text())) for d in DOCUMENTS) > 20
