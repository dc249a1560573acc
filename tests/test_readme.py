"""The README keeps its word: its code runs, top to bottom, as one notebook would."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.skipif(not README.exists(), reason="the tests run away from the repository")
def test_the_code_of_the_readme_runs(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    exec("\n".join(blocks), {})
    printed = capsys.readouterr().out
    assert float(re.search(r"test accuracy (\S+)", printed)[1]) > 0.95
    assert float(re.search(r"at most (\S+)%", printed)[1]) <= 0.1
    assert "['sport']" in printed
