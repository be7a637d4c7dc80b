"""What the command line says about pools and conditions, and whom another table would move."""

import json
import os
import unittest

from tests.support.case import BINARY, SystemTest, Waypost


def server(name):
    return {"address": f"{name}.example:993", "tls": "implicit"}


def table(members, routes=None, **pool):
    return {"backends": {name: server(name) for name in ("a", "b", "c")},
            "pools": {"mail": {"members": members, **pool}},
            "routes": routes or [{"to": "mail"}]}


class Pools(SystemTest):
    """Nothing here listens."""

    count = 0

    def configured(self, routes):
        type(self).count += 1
        return Waypost(self.ground, BINARY, routes, name=f"pools{self.count}")

    def beside(self, waypost, name, content):
        path = os.path.join(os.path.dirname(waypost.path), f"pools{self.count}-{name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def moves(self, before, after, users, *arguments):
        waypost = self.configured(before)
        return waypost.command("route", "-c", waypost.path, *arguments,
                               "--users-file", self.beside(waypost, "users", users),
                               "--against", self.beside(waypost, "new.json", after))

    def test_the_order_of_a_pool_is_shown(self):
        waypost = self.configured(table({"a": 100, "b": 100, "c": 0}))
        text = waypost.command("route", "-c", waypost.path, "ann@example.org").stdout
        self.assertRegex(text, r"\ntarget +mail\n")
        self.assertRegex(text, r"\npool +user-hash among 3 members, in this order")
        self.assertRegex(text, r"\n +c, weight 0, score [0-9.]+\ncandidate")
        answer = json.loads(waypost.command("route", "--json", "-c", waypost.path,
                                            "ann@example.org").stdout)
        order = [place["backend"] for place in answer["pool"]["order"]]
        self.assertEqual(order, [backend["backend"] for backend in answer["candidates"]])
        self.assertEqual((sorted(order), order[2]), (["a", "b", "c"], "c"))

    def test_every_way_to_choose_and_the_cluster_are_shown(self):
        for choose in ("user-hash", "least-sessions", "round-robin", "first"):
            waypost = self.configured(table({"a": 1, "b": 1}, choose=choose, cluster="store",
                                            one_backend_per_user=True))
            text = waypost.command("route", "-c", waypost.path, "ann").stdout
            self.assertRegex(text, rf"\ncluster +store\npool +{choose} among 2 members")
            answer = json.loads(waypost.command("route", "--json", "-c", waypost.path, "ann").stdout)
            self.assertEqual((answer["cluster"], answer["pool"]["choose"]), ("store", choose))
            answer = json.loads(waypost.command("route", "--json", "-c", waypost.path, "").stdout)
            self.assertNotIn("cluster", answer)

    def test_conditions_are_asked_with_what_is_given(self):
        waypost = self.configured(table({"a": 1}, [
            {"listener": ["imaps"], "client": ["192.0.2.0/24"], "to": "b"}, {"to": "mail"}]))
        for arguments, target in ((["--listener", "imaps", "--client", "192.0.2.9"], "b"),
                                  (["--listener", "imaps", "--client", "192.0.3.9"], "mail"),
                                  (["--client", "192.0.2.9"], "mail")):
            done = waypost.command("route", "-c", waypost.path, "ann", *arguments)
            self.assertRegex(done.stdout, rf"\ntarget +{target}\n")

    def test_a_new_member_takes_users_and_moves_nobody_else(self):
        users = "".join(f"user{i}@example.org\n" for i in range(600))
        done = self.moves(table({"a": 100, "b": 100}), table({"a": 100, "b": 100, "c": 100}), users)
        lines = done.stdout.splitlines()
        moved = [line.split("\t") for line in lines[:-1]]
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual({to for _, _, to in moved}, {"c"})
        self.assertEqual({start for _, start, _ in moved}, {"a", "b"})
        self.assertTrue(130 < len(moved) < 270, len(moved))
        self.assertEqual(lines[-1], f"{len(moved)} of 600 users move")

    def test_nobody_moves(self):
        done = self.moves(table({"a": 1, "b": 1}), table({"b": 1, "a": 1}), "# x\n\nann\tz\r\nbob")
        self.assertEqual((done.returncode, done.stdout), (0, "0 of 2 users move\n"))
        for choose in ("round-robin", "least-sessions"):
            done = self.moves(table({"a": 1, "b": 1}, choose=choose),
                              table({"b": 1, "a": 1}, choose=choose), "ann\nbob\n")
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_names_and_verdicts_count_as_moves(self):
        before = table({"a": 1}, [{"users": {"ann": "a", "bob": {"to": "a", "login_as": "b"}}}])
        after = table({"a": 1}, [{"users": {"ann": {"to": "a", "login_as": "x"}}}, {"deny": True}])
        done = self.moves(before, after, "ann\nbob\neve\n", "--json")
        self.assertEqual(json.loads(done.stdout), {
            "moves": [{"user": "ann", "from": "a", "to": "a as x"},
                      {"user": "bob", "from": "a as b", "to": "(denied)"},
                      {"user": "eve", "from": "(no-match)", "to": "(denied)"}],
            "users": 3, "moved": 3})
        self.assertEqual(done.returncode, 3)

    def test_what_cannot_be_compared(self):
        good = table({"a": 1})
        broken = self.moves(good, table({"z": 1}), "ann\n")
        self.assertEqual((broken.returncode, broken.stdout), (1, ""))
        self.assertIn("/pools/mail/members/z: there is no backend", broken.stderr)
        waypost = self.configured(good)
        same = waypost.routes_path
        for arguments, status in ((["--users-file", same + ".no", "--against", same], 1),
                                  (["--users-file", os.path.dirname(same), "--against", same], 1),
                                  (["--users-file", same], 64), (["--against", same], 64),
                                  (["ann", "--users-file", same, "--against", same], 64)):
            done = waypost.command("route", "-c", waypost.path, *arguments)
            self.assertEqual((done.returncode, done.stdout), (status, ""), arguments)
            self.assertTrue(done.stderr.startswith("waypost route: "), done.stderr)


if __name__ == "__main__":
    unittest.main()
