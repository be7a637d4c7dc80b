"""The demo: a visit without differences, and nothing left behind however it ends."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from tests.support.case import BINARY, TOP, SystemTest

from playground import listening, wait_until  # pylint: disable=wrong-import-order

DEMO = os.path.join(TOP, "deploy", "demo", "demo.py")


class Demo(SystemTest):
    """demo.py as its users start it, with a temporary directory of its own."""

    def start(self, what):
        self.temporary = tempfile.mkdtemp(dir=self.ground.root)
        os.chmod(self.temporary, 0o755)
        return subprocess.Popen([sys.executable, "-u", DEMO, what, "--waypost", BINARY],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env={**os.environ, "TMPDIR": self.temporary})

    def test_demo_visits_everybody_and_finds_no_difference(self):
        demo = self.start("demo")
        output, _ = demo.communicate(timeout=60)
        self.assertEqual(demo.returncode, 0, output)
        self.assertRegex(output, r"\b56 checks, 0 differences")
        self.assertNotIn("DIFFERS", output)
        self.assertEqual(os.listdir(self.temporary), [])

    def ends_by(self, number):
        demo = self.start("run")
        self.addCleanup(demo.stdout.close)
        guide = ""
        while "Waypost's log:" not in guide:
            line = demo.stdout.readline()
            self.assertNotEqual(line, "", guide)
            guide += line
        ports = [int(port) for port in re.findall(r"^  127\.0\.0\.1:(\d+) ", guide, re.M)]
        self.assertEqual(len(ports), 2)
        for port in ports:
            wait_until(lambda port=port: listening(port), f"port {port} listens")
        demo.send_signal(number)
        demo.stdout.read()
        demo.wait(20)
        wait_until(lambda: not any(listening(port) for port in ports), "the ports are closed")
        wait_until(lambda: not processes_below(self.temporary), "its processes are gone")
        return demo

    def test_ctrl_c(self):
        self.assertEqual(self.ends_by(signal.SIGINT).returncode, 0)
        self.assertEqual(os.listdir(self.temporary), [])

    def test_sigterm(self):
        self.ends_by(signal.SIGTERM)
        self.assertEqual(os.listdir(self.temporary), [])

    def test_sigkill_takes_the_servers_along(self):
        self.ends_by(signal.SIGKILL)

    def test_a_missing_binary_is_said(self):
        done = subprocess.run([sys.executable, DEMO, "run", "--waypost", "/nonexistent"],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nonexistent", done.stderr)


def processes_below(directory):
    """Processes whose command line names something in the directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if directory.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            continue
    return found


if __name__ == "__main__":
    unittest.main()
