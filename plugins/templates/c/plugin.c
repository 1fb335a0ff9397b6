// The plugin: what it offers, and columns to scores. What a score is stands in score.c; the contract is wit/v1.

#include "score.h"
#include "tierd.h"

enum { SPEND, TENURE_DAYS, LATE_PAYMENTS, INPUTS };

void exports_tierd_plugin_plugin_describe(tierd_description *description) {
    tierd_describe(description, "{{name}}", "0.1.0", "A score of customers by spend, tenure and late payments", 1);
    tierd_function *function = tierd_add_scorer(description, "score", tierd_type_of(TIERD_PLUGIN_TYPES_VALUE_TYPE_REAL), "0 to 100");
    tierd_add_number(function, "spend", "of the last year");
    tierd_add_number(function, "tenure_days", "days since the customer joined");
    tierd_add_number(function, "late_payments", "of the last year; none counts as 0")->nullable = true;
    tierd_add_setting(function, "full_spend", false, "spend that gives all points for spending; 10000 without it");
}

bool exports_tierd_plugin_scorer_score(tierd_call *call, uint32_t rows, tierd_columns *inputs, tierd_column *result, tierd_failure *failure) {
    if (!tierd_calls(call, "score")) return tierd_fail(failure, "there is no such function");
    const double *numbers[INPUTS];
    for (size_t input = 0; input < INPUTS; input++) {
        numbers[input] = tierd_reals(inputs, input, rows);
        if (!numbers[input]) return tierd_fail(failure, "an input isn't a column of numbers");
    }
    double full_spend = tierd_setting(call, "full_spend", 10000);
    double *scores = tierd_result_reals(result, rows);
    for (uint32_t row = 0; row < rows; row++) {
        double late = tierd_has(&inputs->ptr[LATE_PAYMENTS], row) ? numbers[LATE_PAYMENTS][row] : 0;
        scores[row] = score(numbers[SPEND][row], numbers[TENURE_DAYS][row], late, full_spend);
    }
    return true;
}
