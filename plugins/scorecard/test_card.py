import unittest

import card

NOBODY = dict.fromkeys(card.FIGURES, 0) | {"usual_gap_days": None}


class Points(unittest.TestCase):
    def check(self, wanted, criteria=card.DEFAULT, **figures):
        self.assertEqual(card.score(NOBODY | figures, card.check(criteria)), wanted)

    def test_nothing_gives_nothing(self):
        self.check(0)

    def test_a_step_is_reached_at_its_limit(self):
        self.check(0, annual_spend=4999.99)
        self.check(15, annual_spend=5000)
        self.check(30, annual_spend=10000)

    def test_a_gap_counts_up_to_its_limit(self):
        self.check(25, usual_gap_days=30)
        self.check(0, usual_gap_days=30.5)

    def test_most_is_most(self):
        self.check(20, orders=35)
        self.check(25, years=5)

    def test_complaints_and_refunds_take_away(self):
        self.check(-25, complaints=2, refunds=1)

    def test_all_of_it_is_a_hundred(self):
        self.check(100, annual_spend=20000, usual_gap_days=10, orders=40, years=10)

    def test_a_rule_may_weigh_otherwise(self):
        self.check(7, [{"of": "orders", "steps": [[10, 7], [5, 3]]}], orders=12)
        self.check(3, [{"of": "orders", "steps": [[10, 7], [5, 3]]}], orders=9)

    def test_mistakes_are_named(self):
        for criteria, message in [
            ({}, "must be a list"),
            ([{"of": "age", "each": 1}], "criterion 1: `of`"),
            ([{"of": "orders"}], "one of `steps`"),
            ([{"of": "orders", "each": 1, "steps": [[1, 1]]}], "one of `steps`"),
            ([{"of": "orders", "each": "1"}], "numbers are needed"),
            ([{"of": "orders", "steps": [[1]]}], "numbers are needed"),
            ([{"of": "orders", "below": [[1, 1]], "most": 3}], "`most` isn't known"),
        ]:
            with self.subTest(criteria), self.assertRaises(card.Mistake) as raised:
                card.check(criteria)
            self.assertIn(message, str(raised.exception))


if __name__ == "__main__":
    unittest.main()
