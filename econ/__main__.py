"""``python -m econ`` is the command ``econ``."""

import sys

from econ.cli import main

sys.exit(main())
