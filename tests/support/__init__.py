"""What the system tests share. The servers come from deploy/demo, so that the demo and the tests
run the very same ones."""

import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "deploy", "demo"))
