import unittest

from score import SETTINGS, score


class Score(unittest.TestCase):
    def test_spend_tenure_and_payments_count(self):
        self.assertEqual(score(20000, 3650, None, SETTINGS), 100)
        self.assertEqual(score(5000, 365, 1, SETTINGS), 19)
        self.assertEqual(score(0, 0, 3, SETTINGS), 0)

    def test_a_rule_may_set_what_full_spend_is(self):
        self.assertEqual(score(1000, 0, None, {"full_spend": 1000}), 60)


if __name__ == "__main__":
    unittest.main()
