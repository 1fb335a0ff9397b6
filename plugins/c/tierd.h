// Scorers for tierd in C: what the generated bindings leave to write.
//
// Everything that is handed to tierd is copied to the heap, since the bindings free it after the call.

#ifndef TIERD_H
#define TIERD_H

#include <stdlib.h>
#include <string.h>

#include "scorer_plugin.h"

typedef exports_tierd_plugin_plugin_description_t tierd_description;
typedef exports_tierd_plugin_plugin_function_t tierd_function;
typedef exports_tierd_plugin_plugin_value_type_t tierd_type;
typedef exports_tierd_plugin_scorer_call_t tierd_call;
typedef exports_tierd_plugin_scorer_list_column_t tierd_columns;
typedef exports_tierd_plugin_scorer_column_t tierd_column;
typedef exports_tierd_plugin_scorer_failure_t tierd_failure;

// ── Describing ───────────────────────────────────────────────────────────────────────────────────────

static inline scorer_plugin_string_t tierd_text(const char *text) {
    scorer_plugin_string_t copy;
    scorer_plugin_string_dup(&copy, text);
    return copy;
}

// A type by its tag, such as TIERD_PLUGIN_TYPES_VALUE_TYPE_REAL. Decimals have digits too.
static inline tierd_type tierd_type_of(uint8_t tag) {
    tierd_type type = {.tag = tag};
    return type;
}

// Begins the description of a plugin with room for so many functions.
static inline void tierd_describe(tierd_description *description, const char *name, const char *version, const char *doc, size_t functions) {
    memset(description, 0, sizeof *description);
    description->name = tierd_text(name);
    description->version = tierd_text(version);
    description->doc = tierd_text(doc);
    description->functions.ptr = calloc(functions, sizeof *description->functions.ptr);
}

// Adds a scorer whose result has this type.
static inline tierd_function *tierd_add_scorer(tierd_description *description, const char *name, tierd_type output, const char *doc) {
    tierd_function *function = &description->functions.ptr[description->functions.len++];
    function->name = tierd_text(name);
    function->kind = EXPORTS_TIERD_PLUGIN_PLUGIN_KIND_SCORER;
    function->output.is_some = true;
    function->output.val = output;
    function->doc = tierd_text(doc);
    return function;
}

// Adds an input of any number, given as reals, and returns it.
static inline exports_tierd_plugin_plugin_input_t *tierd_add_number(tierd_function *function, const char *name, const char *doc) {
    size_t size = sizeof *function->inputs.ptr;
    function->inputs.ptr = realloc(function->inputs.ptr, (function->inputs.len + 1) * size);
    exports_tierd_plugin_plugin_input_t *input = &function->inputs.ptr[function->inputs.len++];
    memset(input, 0, size);
    input->name = tierd_text(name);
    input->accepts.tag = EXPORTS_TIERD_PLUGIN_PLUGIN_ACCEPTS_NUMBER;
    input->doc = tierd_text(doc);
    return input;
}

// Adds an input of values of just this type. Where it is nullable, rows without a value are given too.
static inline void tierd_add_input(tierd_function *function, const char *name, tierd_type type, bool nullable, const char *doc) {
    exports_tierd_plugin_plugin_input_t *input = tierd_add_number(function, name, doc);
    input->accepts.tag = EXPORTS_TIERD_PLUGIN_PLUGIN_ACCEPTS_EXACTLY;
    input->accepts.val.exactly = type;
    input->nullable = nullable;
}

// Adds a setting that is a number.
static inline void tierd_add_setting(tierd_function *function, const char *name, bool required, const char *doc) {
    size_t size = sizeof *function->settings.ptr;
    function->settings.ptr = realloc(function->settings.ptr, (function->settings.len + 1) * size);
    exports_tierd_plugin_plugin_setting_t *setting = &function->settings.ptr[function->settings.len++];
    setting->name = tierd_text(name);
    setting->setting_type = EXPORTS_TIERD_PLUGIN_PLUGIN_SETTING_TYPE_NUMBER;
    setting->required = required;
    setting->doc = tierd_text(doc);
}

// ── Calls ────────────────────────────────────────────────────────────────────────────────────────────

static inline bool tierd_calls(const tierd_call *call, const char *function) {
    return call->function.len == strlen(function) && memcmp(call->function.ptr, function, call->function.len) == 0;
}

// Fails the call; to be returned by `score`.
static inline bool tierd_fail(tierd_failure *failure, const char *message) {
    failure->row.is_some = false;
    failure->message = tierd_text(message);
    return false;
}

// The doubles of an input that takes numbers; NULL where it is something else.
static inline const double *tierd_reals(const tierd_columns *inputs, size_t input, uint32_t rows) {
    if (input >= inputs->len || inputs->ptr[input].values.tag != TIERD_PLUGIN_TYPES_VALUES_REALS) return NULL;
    return inputs->ptr[input].values.val.reals.len == rows ? inputs->ptr[input].values.val.reals.ptr : NULL;
}

// The days of an input that takes dates, since 1970-01-01; NULL where it is something else.
static inline const int32_t *tierd_dates(const tierd_columns *inputs, size_t input, uint32_t rows) {
    if (input >= inputs->len || inputs->ptr[input].values.tag != TIERD_PLUGIN_TYPES_VALUES_DATES) return NULL;
    return inputs->ptr[input].values.val.dates.len == rows ? inputs->ptr[input].values.val.dates.ptr : NULL;
}

// Whether a nullable input has a value in a row.
static inline bool tierd_has(const tierd_column *column, uint32_t row) {
    return !column->valid.is_some || (row / 8 < column->valid.val.len && column->valid.val.ptr[row / 8] >> row % 8 & 1);
}

// Makes the result a column of reals; the returned ones are to be filled in.
static inline double *tierd_result_reals(tierd_column *result, uint32_t rows) {
    memset(result, 0, sizeof *result);
    result->values.tag = TIERD_PLUGIN_TYPES_VALUES_REALS;
    result->values.val.reals.len = rows;
    result->values.val.reals.ptr = calloc(rows ? rows : 1, sizeof(double));
    return result->values.val.reals.ptr;
}

// ── Settings ─────────────────────────────────────────────────────────────────────────────────────────

// Where a JSON value that begins here ends: strings and brackets are skipped as a whole.
static inline const char *tierd_skip_json(const char *at, const char *end) {
    int depth = 0;
    bool text = false;
    for (; at < end; at++) {
        if (text) {
            if (*at == '\\') at++;
            else if (*at == '"') text = false;
        } else if (*at == '"') text = true;
        else if (*at == '{' || *at == '[') depth++;
        else if (depth > 0 && (*at == '}' || *at == ']')) depth--;
        else if (depth == 0 && (*at == ',' || *at == '}' || *at == ':')) break;
    }
    return at;
}

// The setting of this name that is a number; `otherwise` where the rule doesn't give it.
static inline double tierd_setting(const tierd_call *call, const char *name, double otherwise) {
    const char *at = (const char *)call->config.ptr, *end = at + call->config.len;
    size_t length = strlen(name);
    while (at < end && *at != '{') at++;
    while (++at < end) {
        while (at < end && strchr(" \t\n\r", *at)) at++;
        const char *key_end = tierd_skip_json(at, end);
        bool wanted = (size_t)(key_end - at) >= length + 2 && at[0] == '"' && memcmp(at + 1, name, length) == 0 && at[length + 1] == '"';
        const char *value = key_end < end ? key_end + 1 : end;
        const char *value_end = tierd_skip_json(value, end);
        if (wanted) {
            char number[64] = {0};
            size_t size = (size_t)(value_end - value) < sizeof number - 1 ? (size_t)(value_end - value) : sizeof number - 1;
            memcpy(number, value, size);
            char *rest;
            double parsed = strtod(number, &rest);
            return rest == number ? otherwise : parsed;
        }
        at = value_end;
    }
    return otherwise;
}

#endif
