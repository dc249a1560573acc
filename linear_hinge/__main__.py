"""``python -m linear_hinge``."""

import sys

from linear_hinge.report.command_line import main

if __name__ == "__main__":
    # A terminal that cannot show a dash gets a question mark instead.
    sys.stdout.reconfigure(errors="replace")
    sys.exit(main())
