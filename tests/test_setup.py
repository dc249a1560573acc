"""How the kernels are compiled where there are several ways to OpenMP."""

import runpy
from pathlib import Path

import pytest

SETUP = Path(__file__).parent.parent / "setup.py"


@pytest.fixture(scope="module")
def attempts():
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    if not SETUP.exists():
        pytest.skip("the tests run away from the repository")
    return runpy.run_path(str(SETUP), run_name="setup")["attempts"]


@pytest.mark.parametrize("compiler", ["unix", "mingw32", "msvc"])
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_first_with_openmp_and_last_without(attempts, compiler, platform):
    (first, _), *_, (last, _) = attempts(compiler, platform, [])
    assert any("openmp" in flag for flag in first)
    assert not any("openmp" in flag for flag in last)


@pytest.mark.parametrize(("include", "lib"), [("include", "lib"), ("include/libomp", "lib/libomp")])
def test_libomp_is_found_on_macos(attempts, tmp_path, include, lib):
    (tmp_path / include).mkdir(parents=True)
    (tmp_path / include / "omp.h").touch()
    prefixes = ["", str(tmp_path / "nowhere"), str(tmp_path)]
    (_, apple, _) = attempts("unix", "darwin", prefixes)
    compiled, linked = apple
    assert compiled[-3:] == ["-Xpreprocessor", "-fopenmp", f"-I{tmp_path / include}"]
    assert linked[0] == f"-L{tmp_path / lib}"
    assert linked[-1] == "-lomp"
    assert len(attempts("unix", "linux", prefixes)) == 2
