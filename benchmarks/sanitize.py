"""Run tests of the compiled code under the address and undefined-behaviour sanitizers of GCC or Clang, on Linux.

A control must fail: if a read beyond an array goes unnoticed, so would everything else.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ["tests/kernels"]
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1"

# A row whose only column lies just beyond W, set past what checks every index.
CONTROL = """
import numpy as np, scipy.sparse as sp
from linear_hinge.kernels import door
X = sp.csr_array(np.eye(4))
X.indices[0] = 4
door.product(X, np.ones((4, 4)))
"""


def build(folder):
    """A copy of the package and its tests, with an instrumented extension."""
    for name in ("linear_hinge", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    # The flags of setup.py come later on the command line, and the last level of optimisation holds.
    setup = folder / "setup.py"
    setup.write_text(setup.read_text().replace('["-O3"', f'["-O3", *"{FLAGS}".split()'))
    environment = os.environ | {"LDFLAGS": "-fsanitize=address,undefined"}
    subprocess.run([sys.executable, "setup.py", "-q", "build_ext"], check=True, cwd=folder, env=environment)


def sanitized_environment(folder):
    compiler = os.environ.get("CC", "gcc").split()
    libraries = [
        subprocess.check_output([*compiler, f"-print-file-name={name}"], text=True).strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    return os.environ | {
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0",  # Python itself leaks
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONPATH": str(folder),
        "PYTHONMALLOC": "malloc",  # so that what Python allocates is watched as well
        "OMP_NUM_THREADS": "2",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "options", nargs="*", help="of pytest, after --; by default the tests of compiled code and layouts"
    )
    options = parser.parse_args().options or TESTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        environment = sanitized_environment(folder)
        control = subprocess.run(
            [sys.executable, "-c", CONTROL], cwd=folder, env=environment, capture_output=True, text=True
        )
        if control.returncode == 0 or "AddressSanitizer" not in control.stderr:
            sys.exit(f"The control did not fail: nothing is watched.\n{control.stderr}")
        print("The control failed, as it must:", control.stderr.split("ERROR: ")[-1].splitlines()[0], flush=True)
        tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        sys.exit(subprocess.run(tests, cwd=folder, env=environment).returncode)


if __name__ == "__main__":
    main()
