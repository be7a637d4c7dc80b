"""One backend per user, in bad weather: see tests/support/storm.py."""

import os
import random
import sys
import unittest

from tests.support.case import BINARY, SystemTest
from tests.support.storm import Storm, summary

SECONDS = float(os.environ.get("STORM_SECONDS", "20"))
SEED = int(os.environ.get("STORM_SEED", random.randrange(1, 10000)))


class Storms(SystemTest):
    """Many users with several devices, before servers that fail."""

    def storm(self, seconds, **options):
        storm = Storm(self.ground, BINARY, seed=SEED, **options)
        self.addCleanup(storm.farm.stop)
        self.addCleanup(storm.waypost.stop)
        outcome = storm.run(seconds)
        text = f"\n{self.id()}\n{summary(outcome)}"
        print(text, file=sys.stderr)
        self.assertTrue(storm.waypost.running())
        self.assertEqual(outcome["locked_out"], [], text)
        self.assertEqual(outcome["strangers"], 0, text)
        self.assertNotIn("stuck", outcome["clients"], text)
        self.assertGreater(outcome["logins_per_second"], 20, text)
        self.assertGreater(outcome["failovers"], 0, text)
        return outcome

    def test_without_the_promise_it_does_not_hold(self):
        # What the farm is able to find.
        outcome = self.storm(5)
        self.assertGreater(outcome["violations"], 0)
        self.assertGreater(outcome["moves"], 0)


if __name__ == "__main__":
    unittest.main()
