"""cmake/floor-circles.py finds a circle of any length, and names what closes it."""
import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(os.environ.get("HPC_SOURCE") or Path(__file__).resolve().parents[2])


def check(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"{name}.c").write_text(text)
        subprocess.run(["gcc", "-c", f"{name}.c", "-o", f"{name}.c.o"], cwd=tmp_path, check=True)
    subprocess.run(["ar", "rc", "lib.a", *(f"{name}.c.o" for name in files)], cwd=tmp_path, check=True)
    return subprocess.run([sys.executable, SOURCE / "cmake" / "floor-circles.py", "nm", f"base={tmp_path}/lib.a={tmp_path}"],
                          capture_output=True, text=True)


A = "void b_do(void); void a_do(void) { b_do(); }\n"
B = "void c_do(void); void b_do(void) { c_do(); }\n"


def test_what_goes_down_only_passes(tmp_path):
    r = check(tmp_path, a=A, b=B, c="void c_do(void) {}\n")
    assert r.returncode == 0 and not r.stdout


def test_three_files_in_a_circle(tmp_path):
    r = check(tmp_path, a=A, b=B, c="void a_do(void); void c_do(void) { a_do(); }\n")
    assert r.returncode == 1
    assert "base: a circle of a, b, c\n" in r.stdout and "    c uses a_do() of a\n" in r.stdout


def test_headers_in_a_circle(tmp_path):
    (tmp_path / "x.h").write_text('#include "base/y.h"\n')
    (tmp_path / "y.h").write_text('#include "base/x.h"\n')
    r = check(tmp_path, a=A, b=B, c="void c_do(void) {}\n")
    assert r.returncode == 1 and 'y.h includes "base/x.h" of x.h' in r.stdout


def test_an_archive_without_symbols_is_an_error(tmp_path):
    r = check(tmp_path, a="typedef int nothing;\n")
    assert r.returncode == 1 and "this check saw nothing" in r.stderr
