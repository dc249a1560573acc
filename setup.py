"""The compiled kernels: with OpenMP where the compiler has it, and left out where there is no compiler."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = "linear_hinge/kernels"

UNIX = [(["-O3", "-fopenmp"], ["-fopenmp"]), (["-O3"], [])]
MSVC = [(["/O2", "/openmp"], []), (["/O2"], [])]


class BuildKernels(build_ext):
    """Tries the flags in turn; the package works without its kernels, only slower."""

    def build_extension(self, ext):
        # Said here, because `cythonize` does not hand it on: the last failure is a warning.
        ext.optional = True
        attempts = MSVC if self.compiler.compiler_type == "msvc" else UNIX
        for ext.extra_compile_args, ext.extra_link_args in attempts:
            try:
                super().build_extension(ext)
                break
            except Exception as error:
                if ext.extra_compile_args == attempts[-1][0]:
                    raise
                self.warn(f"without OpenMP, because of: {error}")
        # Python started in a checkout imports the package from there, and should find the kernels.
        self.copy_file(self.get_ext_fullpath(ext.name), KERNELS)


parts = sorted(str(path) for path in Path(KERNELS).iterdir() if path.suffix in (".pxi", ".h"))
kernels = Extension("linear_hinge.kernels.compiled", ["linear_hinge/kernels/compiled.pyx"], depends=parts)
setup(ext_modules=cythonize([kernels]), cmdclass={"build_ext": BuildKernels})
