// A score of customers, 0 to 100: by what they spend, how long they have been there, and how they pay.

// Settings and what they are where a rule doesn't give them.
export const SETTINGS = { full_spend: 10000 };

export function score({ spend, tenureDays, latePayments }, settings) {
  const spends = Math.min(spend / settings.full_spend, 1);
  const stays = Math.min(tenureDays / 3650, 1);
  return Math.min(Math.max(60 * spends + 40 * stays - 15 * (latePayments ?? 0), 0), 100);
}
