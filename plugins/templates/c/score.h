// A score of customers, 0 to 100: by what they spend, how long they have been there, and how they pay.

#ifndef SCORE_H
#define SCORE_H

double score(double spend, double tenure_days, double late_payments, double full_spend);

#endif
