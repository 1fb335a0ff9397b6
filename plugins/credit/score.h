// How creditworthy a customer of a telecom company is, 0 to 100, by what it pays and how long it has been there.
//
//   55 for paying in time       of what is billed; paying late once in ten times costs a fifth of it
//   20 for owing nothing        two mean bills unpaid are as bad as it gets
//   15 for tenure               full after five years
//   10 for a contract that runs
//
// Nobody who has never been billed has paid late: such a customer has half of what paying gives.

#ifndef SCORE_H
#define SCORE_H

#include <stdbool.h>

struct customer {
    double bills;          // in the months looked at
    double late;           // of these, paid after the due day or not at all
    double mean_bill;      // money
    double unpaid;         // money owed and due
    double tenure_months;
    bool under_contract;
};

double credit_score(struct customer customer);

#endif
