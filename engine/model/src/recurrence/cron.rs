//! Cron expressions. The library reads them and knows which days match; times of day and jumps of clocks are ours, so that they are
//! the same as with plain words.

use croner::{
    errors::CronError,
    parser::{CronParser, Seconds, Year},
};

use super::{Cron, RecurrenceError};

pub(super) fn parse(text: &str) -> Result<Cron, RecurrenceError> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let written = fields.join(" ");
    let error =
        |why: &str| RecurrenceError { message: format!("`{written}` is no cron expression: {why}"), unknown: None };
    let [_, hour, ..] = fields.as_slice() else {
        return Err(error("write minute, hour, day of the month, month and day of the week, such as `15 2 * * *`"));
    };
    if fields.len() != 5 {
        return Err(error(&format!(
            "it has {} fields, not five: minute, hour, day of the month, month, day of the week",
            fields.len()
        )));
    }
    if !written.is_ascii() {
        return Err(error("it has letters that are neither numbers nor English names"));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let pattern = parser.parse(&written).map_err(|source| error(&reason(&source)))?.pattern;
    let minutes: Vec<u16> = (0..24 * 60)
        .filter(|minute| pattern.hour_match(minute / 60).unwrap_or(false))
        .filter(|minute| pattern.minute_match(minute % 60).unwrap_or(false))
        .map(|minute| minute as u16)
        .collect();
    if minutes.is_empty() {
        return Err(error("it names no time of day"));
    }
    let each_hour = *hour == "*";
    Ok(Cron { text: written, pattern: Box::new(pattern), minutes, each_hour })
}

/// The library's message without its own names for kinds of errors.
fn reason(error: &CronError) -> String {
    let message = match error {
        CronError::InvalidPattern(message)
        | CronError::IllegalCharacters(message)
        | CronError::ComponentError(message) => message,
        other => &other.to_string(),
    };
    let message = message.trim_end_matches('.');
    let mut chars = message.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}
