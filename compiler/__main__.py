"""``python -m compiler`` is ``gerbang``."""

import sys

from compiler.cli.main import main

sys.exit(main())
