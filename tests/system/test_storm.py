"""One backend per user, in bad weather: see tests/support/storm.py."""

import os
import random
import sys
import unittest

from tests.support.case import BINARY, SystemTest
from tests.support.storm import Storm, complaints, summary

SECONDS = float(os.environ.get("STORM_SECONDS", "20"))
SEED = int(os.environ.get("STORM_SEED", random.randrange(1, 10000)))
PROMISE = {"one_backend_per_user": True, "cluster": "all"}


class Storms(SystemTest):
    """Many users with several devices, before servers that fail."""

    def storm(self, **options):
        storm = Storm(self.ground, BINARY, seed=SEED, **options)
        self.addCleanup(storm.farm.stop)
        self.addCleanup(storm.waypost.stop)
        return storm

    def outcome(self, storm, seconds):
        """What is seen of a storm that must not do any harm, but for what is not promised."""
        outcome = storm.run(seconds)
        text = f"\n{self.id()}\n{summary(outcome)}"
        print(text, file=sys.stderr)
        self.assertTrue(storm.waypost.running())
        self.assertEqual(complaints(outcome), [], text)
        return outcome

    def test_without_the_promise_it_does_not_hold(self):
        # What the farm is able to find.
        outcome = self.outcome(self.storm(), 5)
        self.assertGreater(outcome["violations"], 0)

    def test_nobody_is_at_two_backends(self):
        outcome = self.outcome(self.storm(pool=PROMISE), SECONDS)
        self.assertEqual(outcome["violations"], 0, outcome["examples"])

    def test_it_may_end_in_the_middle(self):
        status, report = self.storm(pool=PROMISE).break_off(4)
        self.assertEqual(status, 0)
        self.assertEqual(report["violations"], 0, report["examples"])
        self.assertGreater(report["logins"], 0)


if __name__ == "__main__":
    unittest.main()
