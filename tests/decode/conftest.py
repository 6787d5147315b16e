"""Lets the tests of decoding import the toy states beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
