// Tests of the score, on the machine itself: cc -o test test.c score.c && ./test

#include <math.h>
#include <stdio.h>

#include "score.h"

static int failures;

static void check(const char *what, struct customer customer, double wanted) {
    double score = credit_score(customer);
    if (fabs(score - wanted) > 1e-9) {
        printf("%s: %g, not %g\n", what, score, wanted);
        failures++;
    }
}

int main(void) {
    struct customer best = {.bills = 24, .mean_bill = 100, .tenure_months = 60, .under_contract = true};
    check("pays, owes nothing, stays", best, 100);

    struct customer late = best;
    late.late = 2.4;
    check("late once in ten times", late, 55 * 0.81 + 45);
    late.late = 24;
    check("always late", late, 45);
    late.late = 30;
    check("more late than billed is as bad as always", late, 45);

    struct customer owing = best;
    owing.unpaid = 100;
    check("owes a bill", owing, 90);
    owing.unpaid = 1000;
    check("owes ten", owing, 80);
    owing.mean_bill = 0;
    check("owes without bills", owing, 80);

    struct customer fresh = {.tenure_months = 0};
    check("joined today", fresh, 55 * 0.5 + 20);

    struct customer old = best;
    old.tenure_months = 600;
    old.under_contract = false;
    check("fifty years, no contract", old, 90);

    printf("%s\n", failures ? "failed" : "all as wanted");
    return failures != 0;
}
