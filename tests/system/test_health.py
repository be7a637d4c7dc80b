"""What probes of a running proxy find out about backends, as its log tells it."""

import re
import unittest

from tests.support.case import FakeImap, SystemTest, backend
from tests.support.fake_imap import Script

from playground import wait_until  # pylint: disable=wrong-import-order

QUICK = {"interval": "100ms", "timeout": "2s"}


class Busy(Script):
    """Fails the first so many probes after the first good one."""

    def __init__(self, failures):
        self.left = failures
        self.seen = 0

    def serve(self, peer, context):
        self.seen += 1
        if self.seen > 1 and self.left > 0:
            self.left -= 1
            peer.send(b"* BYE too busy\r\n")
            return
        super().serve(peer, context)


class Health(SystemTest):
    """One scripted backend that is looked at ten times a second."""

    def setUp(self):
        self.fake = FakeImap(self.ground)
        self.addCleanup(self.fake.stop)

    def watched(self, numbers, **options):
        return self.start_waypost(
            {"backends": {"fake": backend(self.ground, self.fake, **options)},
             "routes": [{"to": "fake"}]},
            {"probe": {**QUICK, **numbers}, "log": {"level": "debug"}})

    def events(self, waypost):
        return re.findall(r"event=(probe_failed|backend_down|backend_up) ", waypost.log())

    def test_down_after_fall_and_up_after_rise(self):
        self.fake.script = Busy(5)
        waypost = self.watched({"fall": 3, "rise": 2})
        waypost.wait_for_log(r"event=backend_up backend=fake by=probe down_ms=\d+")
        self.assertEqual(self.events(waypost), ["probe_failed"] * 3 + ["backend_down"]
                         + ["probe_failed"] * 2 + ["backend_up"])
        self.assertRegex(waypost.log(), r'warn event=backend_down backend=fake by=probe '
                                        r'why="the greeting is BYE: too busy"')

    def test_fewer_failures_than_fall_are_nothing_to_tell(self):
        self.fake.script = Busy(2)
        waypost = self.watched({"fall": 3})
        waypost.wait_for_log(r"(?s)probe_failed.*probe_failed")
        seen = self.fake.script.seen
        wait_until(lambda: self.fake.script.seen > seen + 3, "more probes")
        self.assertEqual(self.events(waypost), ["probe_failed"] * 2)

    def test_a_backend_has_its_own_numbers(self):
        self.fake.script = Busy(1)
        waypost = self.watched({"interval": "0s", "fall": 100},
                               probe={"interval": "50ms", "fall": 1, "rise": 1})
        waypost.wait_for_log(r"event=backend_up")
        self.assertEqual(self.events(waypost), ["probe_failed", "backend_down", "backend_up"])

    def test_a_backend_that_hangs_is_down(self):
        self.fake.script.serve = lambda peer, _context: peer.wait_for_end()
        waypost = self.watched({"timeout": "200ms", "fall": 2})
        waypost.wait_for_log(r'event=backend_down backend=fake by=probe why="no greeting in time"')


if __name__ == "__main__":
    unittest.main()
