"""Tests of the check of our own build: `bench/test` runs them."""

from __future__ import annotations

import pathlib
import tempfile
import unittest

from .build import require_optimised
from .processes import Failure


class BuildTest(unittest.TestCase):
    def programs(self, cache: str | None) -> pathlib.Path:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        if cache is not None:
            (pathlib.Path(folder.name) / "CMakeCache.txt").write_text(cache)
        return pathlib.Path(folder.name) / "bin"

    def test_measures_an_optimised_build(self):
        require_optimised(self.programs("CMAKE_BUILD_TYPE:STRING=RelWithDebInfo\n"
                                        "CMAKE_CXX_FLAGS:STRING=\n"
                                        "CMAKE_CXX_FLAGS_RELWITHDEBINFO:STRING=-O2 -g -DNDEBUG\n"))

    def test_refuses_one_that_lost_its_flags(self):
        with self.assertRaisesRegex(Failure, "without optimisation"):
            require_optimised(self.programs("CMAKE_BUILD_TYPE:STRING=RelWithDebInfo\n"
                                            "CMAKE_CXX_FLAGS_RELEASE:STRING=-O3\n"
                                            "CMAKE_CXX_FLAGS_RELWITHDEBINFO:STRING=\n"))

    def test_knows_nothing_of_programs_from_elsewhere(self):
        require_optimised(self.programs(None))


if __name__ == "__main__":
    unittest.main()
