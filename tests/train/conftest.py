"""Lets the tests of this room, and the processes they start, share the toy run beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
