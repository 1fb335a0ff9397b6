"""A score of customers, 0 to 100: by what they spend, how long they have been there, and how they pay."""

# Settings and what they are where a rule doesn't give them.
SETTINGS = {"full_spend": 10000}


def score(spend, tenure_days, late_payments, settings):
    spends = min(spend / settings["full_spend"], 1)
    stays = min(tenure_days / 3650, 1)
    return min(max(60 * spends + 40 * stays - 15 * (late_payments or 0), 0.0), 100.0)
