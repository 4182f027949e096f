"""Run the command line: ``python -m monster_core doctor``."""

import sys

from monster_core.doctor.command import main

if __name__ == "__main__":
    sys.exit(main())
