#include "score.h"

static double at_most(double most, double value) {
    return value < most ? value : most;
}

double score(double spend, double tenure_days, double late_payments, double full_spend) {
    double points = 60 * at_most(1, spend / full_spend) + 40 * at_most(1, tenure_days / 3650) - 15 * late_payments;
    return at_most(100, points < 0 ? 0 : points);
}
