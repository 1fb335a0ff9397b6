// Where a guest of a hotel group is on the path: potential, new, important, loyal; and how promising a guest is who isn't important yet.
//
// The path is walked step by step: only who is important can become loyal, so `before` (the level of the last run) counts. Somebody who no
// longer reaches a step goes back one, not all the way.

export const STEPS = ["potential", "new", "important", "loyal"];

// What each step takes; a rule's settings replace single ones.
export const DEFAULTS = {
  important_nights: 10, // in 12 months
  important_spend: 20000, // in 12 months
  loyal_nights: 25, // in 12 months
  loyal_nights_36m: 40, // in 36 months
};

// The step that a guest's figures reach, whatever the guest was before.
function reached(guest, settings) {
  if (guest.stays <= 0) return 0;
  const important = guest.nights12m >= settings.important_nights || guest.spend12m >= settings.important_spend;
  if (!important) return 1;
  const loyal = guest.nights12m >= settings.loyal_nights && guest.nights36m >= settings.loyal_nights_36m;
  return loyal ? 3 : 2;
}

// The step on the path, given the one before; null for a guest who is seen for the first time.
export function step(guest, settings) {
  const wanted = reached(guest, settings);
  const before = STEPS.indexOf(guest.before);
  if (before < 0) return STEPS[wanted];
  // Who has stayed is never potential again; up at most to the next step where that is "loyal", down at most one.
  const highest = before < 2 ? 2 : 3;
  return STEPS[Math.max(Math.min(wanted, highest), before - 1, guest.stays > 0 ? 1 : 0)];
}

// 0 to 100. Interest on the web site counts for half as much after 30 days: a wish list of last summer is no booking.
export function promise(guest) {
  const interest = guest.views + 5 * guest.wishes + 20 * guest.bookings;
  const fresh = 0.5 ** (guest.daysSinceVisit / 30);
  const web = 50 * (1 - Math.exp((-interest * fresh) / 25));
  const stays = 5 * Math.min(guest.nights12m, 8) + (guest.suites > 0 ? 10 : 0);
  return web + stays;
}
