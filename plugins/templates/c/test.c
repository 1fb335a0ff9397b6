// Tests of the score, on the machine itself: make test

#include <math.h>
#include <stdio.h>

#include "score.h"

static int check(double is, double wanted) {
    if (fabs(is - wanted) < 1e-9) return 0;
    printf("%g, not %g\n", is, wanted);
    return 1;
}

int main(void) {
    int failures = check(score(20000, 3650, 0, 10000), 100);
    failures += check(score(5000, 365, 1, 10000), 19);
    failures += check(score(0, 0, 3, 10000), 0);
    failures += check(score(1000, 0, 0, 1000), 60);
    printf("%s\n", failures ? "failed" : "all as wanted");
    return failures != 0;
}
