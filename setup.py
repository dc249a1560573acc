"""The compiled kernels: with OpenMP where the compiler has it, and left out where there is no compiler."""

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

UNIX = [(["-O3", "-fopenmp"], ["-fopenmp"]), (["-O3"], [])]
MSVC = [(["/O2", "/openmp"], []), (["/O2"], [])]


class BuildKernels(build_ext):
    """Tries the flags in turn; the package works without its kernels, only slower."""

    def build_extension(self, ext):
        # Said here, because `cythonize` does not hand it on: the last failure is a warning.
        ext.optional = True
        attempts = MSVC if self.compiler.compiler_type == "msvc" else UNIX
        for ext.extra_compile_args, ext.extra_link_args in attempts[:-1]:
            try:
                return super().build_extension(ext)
            except Exception as error:
                self.warn(f"without OpenMP, because of: {error}")
        ext.extra_compile_args, ext.extra_link_args = attempts[-1]
        return super().build_extension(ext)


parts = ["linear_hinge/_row_losses.pxi", "linear_hinge/_row_loops.h"]
kernels = Extension("linear_hinge._kernels", ["linear_hinge/_kernels.pyx"], depends=parts)
setup(ext_modules=cythonize([kernels]), cmdclass={"build_ext": BuildKernels})
