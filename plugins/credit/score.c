#include "score.h"

static double between(double low, double value, double high) {
    return value < low ? low : value > high ? high : value;
}

double credit_score(struct customer c) {
    double in_time = c.bills > 0 ? between(0, 1 - c.late / c.bills, 1) : 0.5;
    // Squared: the second late payment says more than the first.
    double paying = c.bills > 0 ? in_time * in_time : in_time;
    double owing = c.unpaid <= 0 ? 1 : c.mean_bill > 0 ? between(0, 1 - c.unpaid / (2 * c.mean_bill), 1) : 0;
    double tenure = between(0, c.tenure_months / 60, 1);
    return 55 * paying + 20 * owing + 15 * tenure + (c.under_contract ? 10 : 0);
}
