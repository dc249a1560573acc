"""The compiled kernels: with OpenMP where the compiler has it, and left out where there is no compiler."""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = "linear_hinge/kernels"

# Where Homebrew, MacPorts and conda put the OpenMP of LLVM, which Apple's compiler knows how to use but does not bring.
LIBOMP = ["/opt/homebrew/opt/libomp", "/usr/local/opt/libomp", "/opt/local", os.environ.get("CONDA_PREFIX", "")]


def attempts(compiler_type, platform=sys.platform, prefixes=LIBOMP):
    """Flags of the compiler and of the linker to try in turn: with OpenMP, and at last without."""
    if compiler_type == "msvc":
        return [(["/O2", "/openmp"], []), (["/O2"], [])]
    found = apple_openmp(prefixes) if platform == "darwin" else []
    return [(["-O3", "-fopenmp"], ["-fopenmp"]), *found, (["-O3"], [])]


def apple_openmp(prefixes):
    """Flags for every libomp that is installed under one of these prefixes."""
    for prefix in map(Path, filter(None, prefixes)):
        for include, lib in (("include", "lib"), ("include/libomp", "lib/libomp")):
            if (prefix / include / "omp.h").exists():
                library = str(prefix / lib)
                compiled = ["-O3", "-Xpreprocessor", "-fopenmp", f"-I{prefix / include}"]
                yield compiled, [f"-L{library}", f"-Wl,-rpath,{library}", "-lomp"]


class BuildKernels(build_ext):
    """Tries the flags in turn; the package works without its kernels, only slower."""

    def build_extension(self, ext):
        # Said here, because `cythonize` does not hand it on: the last failure is a warning.
        ext.optional = True
        *with_openmp, without = attempts(self.compiler.compiler_type)
        for ext.extra_compile_args, ext.extra_link_args in with_openmp:
            try:
                super().build_extension(ext)
                break
            except Exception as error:
                self.warn(f"no OpenMP by {' '.join(ext.extra_compile_args)}, because of: {error}")
        else:
            ext.extra_compile_args, ext.extra_link_args = without
            super().build_extension(ext)
        # Python started in a checkout imports the package from there, and should find the kernels.
        self.copy_file(self.get_ext_fullpath(ext.name), KERNELS)


if __name__ == "__main__":
    parts = sorted(str(path) for path in Path(KERNELS).iterdir() if path.suffix in (".pxi", ".h"))
    kernels = Extension("linear_hinge.kernels.compiled", ["linear_hinge/kernels/compiled.pyx"], depends=parts)
    setup(ext_modules=cythonize([kernels]), cmdclass={"build_ext": BuildKernels})
