"""All benchmarks, one after another: nothing else should run beside them.

python benchmarks DATA --out RESULTS [options of solvers.py]
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0].startswith("-"):
        raise SystemExit(__doc__)
    out = arguments[arguments.index("--out") + 1] if "--out" in arguments else "results"
    Path(out).mkdir(parents=True, exist_ok=True)
    for script, options in [
        ("solvers", arguments),
        ("threads", [arguments[0], "--out", out]),
        ("memory", [arguments[0], "--out", out]),
        ("scaling", ["--out", out]),
        ("search", [arguments[0], "--out", out]),
        ("stream", [arguments[0], "--out", out]),
        ("partitions", [arguments[0], "--out", out]),
        ("probabilities", [arguments[0], "--out", out]),
        ("tables", [out]),
    ]:
        print(f"--- {script}", flush=True)
        subprocess.run([sys.executable, HERE / f"{script}.py", *options], check=True)


if __name__ == "__main__":
    main()
