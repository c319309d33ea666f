"""``python -m gatedrnn`` is the same as the command ``gatedrnn``."""

import sys

from gatedrnn.cli import main

sys.exit(main())
