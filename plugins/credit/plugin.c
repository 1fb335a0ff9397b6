// The plugin: columns to scores and grades. What a score is stands in score.c.

#include "score.h"
#include "tierd.h"

enum { BILLS, LATE, MEAN_BILL, UNPAID, TENURE_MONTHS, CONTRACT_UNTIL };

static void add_inputs(tierd_function *function) {
    tierd_add_number(function, "bills", "bills in the months looked at, such as the last 24");
    tierd_add_number(function, "late", "of these, paid after the due day or not at all");
    tierd_add_number(function, "mean_bill", "what a bill amounts to on average");
    tierd_add_number(function, "unpaid", "what is due and unpaid today");
    tierd_add_number(function, "tenure_months", "months since the customer joined");
    tierd_type date = tierd_type_of(TIERD_PLUGIN_TYPES_VALUE_TYPE_DATE);
    tierd_add_input(function, "contract_until", date, true, "last day of the contract, if there is one");
}

void exports_tierd_plugin_plugin_describe(tierd_description *description) {
    tierd_describe(description, "credit", "1.0.0", "Credit of telecom customers by how they pay, what they owe, tenure and contract", 2);
    tierd_type real = tierd_type_of(TIERD_PLUGIN_TYPES_VALUE_TYPE_REAL);
    add_inputs(tierd_add_scorer(description, "score", real, "0 (none) to 100"));

    tierd_type text = tierd_type_of(TIERD_PLUGIN_TYPES_VALUE_TYPE_TEXT);
    tierd_function *grade = tierd_add_scorer(description, "grade", text, "good, fair or poor, by the score");
    add_inputs(grade);
    tierd_add_setting(grade, "good", false, "least score that is good; 70 without it");
    tierd_add_setting(grade, "fair", false, "least score that is fair; 40 without it");
}

static void scores(const tierd_call *call, uint32_t rows, const tierd_columns *inputs, const double *numbers[], const int32_t *contract, double *scores) {
    for (uint32_t row = 0; row < rows; row++) {
        struct customer customer = {
            .bills = numbers[BILLS][row],
            .late = numbers[LATE][row],
            .mean_bill = numbers[MEAN_BILL][row],
            .unpaid = numbers[UNPAID][row],
            .tenure_months = numbers[TENURE_MONTHS][row],
            .under_contract = tierd_has(&inputs->ptr[CONTRACT_UNTIL], row) && contract[row] >= call->today,
        };
        scores[row] = credit_score(customer);
    }
}

// Texts one after the other; every grade has four letters.
static void grades(const tierd_call *call, uint32_t rows, const double *scores, tierd_column *result) {
    double good = tierd_setting(call, "good", 70), fair = tierd_setting(call, "fair", 40);
    memset(result, 0, sizeof *result);
    result->values.tag = TIERD_PLUGIN_TYPES_VALUES_TEXTS;
    tierd_plugin_types_texts_t *texts = &result->values.val.texts;
    texts->offsets.len = (size_t)rows + 1;
    texts->offsets.ptr = malloc(texts->offsets.len * sizeof(uint32_t));
    texts->bytes.len = 4 * (size_t)rows;
    texts->bytes.ptr = malloc(texts->bytes.len + 1);
    for (uint32_t row = 0; row < rows; row++) {
        texts->offsets.ptr[row] = 4 * row;
        memcpy(texts->bytes.ptr + 4 * row, scores[row] >= good ? "good" : scores[row] >= fair ? "fair" : "poor", 4);
    }
    texts->offsets.ptr[rows] = 4 * rows;
}

bool exports_tierd_plugin_scorer_score(tierd_call *call, uint32_t rows, tierd_columns *inputs, tierd_column *result, tierd_failure *failure) {
    const double *numbers[CONTRACT_UNTIL];
    for (size_t input = 0; input < CONTRACT_UNTIL; input++) {
        numbers[input] = tierd_reals(inputs, input, rows);
        if (!numbers[input]) return tierd_fail(failure, "an input isn't a column of numbers");
    }
    const int32_t *contract = tierd_dates(inputs, CONTRACT_UNTIL, rows);
    if (!contract) return tierd_fail(failure, "contract_until isn't a column of dates");

    if (tierd_calls(call, "score")) {
        scores(call, rows, inputs, numbers, contract, tierd_result_reals(result, rows));
        return true;
    }
    if (tierd_calls(call, "grade")) {
        double *of_rows = malloc((rows ? rows : 1) * sizeof(double));
        scores(call, rows, inputs, numbers, contract, of_rows);
        grades(call, rows, of_rows, result);
        free(of_rows);
        return true;
    }
    return tierd_fail(failure, "there is no such function");
}
