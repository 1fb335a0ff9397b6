use serde_json::{Map, Value as Json, json};
use tierd_rules::plugin::{PluginFunction, SettingType};

use super::{Opened, settings};
use crate::{
    args::{Format, PluginCheckArgs},
    exit::{Code, Failure},
    output::Output,
};

/// Loads a plugin, prints what it offers, and tries out each of its functions.
pub(super) fn check(args: &PluginCheckArgs, output: Output) -> Result<(), Failure> {
    let opened = Opened::new(&args.plugin)?;
    let config = settings(args.config.as_deref())?;
    let functions = &opened.plugin.description.functions;
    let tried: Vec<Option<String>> = functions.iter().map(|function| try_out(&opened, function, &config)).collect();
    match output.format {
        Format::Json => output.json(&document(&opened, &tried))?,
        _ => output.line(&text(&opened, &tried))?,
    }
    match tried.iter().flatten().count() {
        0 => Ok(()),
        _ => Err(Failure::silent(Code::Failed)),
    }
}

/// Why the function doesn't work on made-up rows.
fn try_out(opened: &Opened, function: &PluginFunction, config: &Map<String, Json>) -> Option<String> {
    let failure = opened.host.self_test(&opened.plugin, &opened.call(function, config.clone())).err()?;
    Some(format!("{}: {}", failure.reason, failure.message))
}

fn text(opened: &Opened, tried: &[Option<String>]) -> String {
    let (plugin, said) = (&opened.plugin, &opened.plugin.description);
    let mut lines = vec![format!("{} {}: {}", said.name, said.version, said.doc)];
    lines.push(format!(
        "sha256 {}, {} bytes, name in rules: {}",
        plugin.file.hash,
        plugin.file.bytes.len(),
        plugin.name
    ));
    let limits = &plugin.limits;
    let fuel = limits.fuel.map_or(String::new(), |fuel| format!(", {fuel} units of fuel"));
    lines.push(format!("limits: {} MiB, {} ms for each call{fuel}", limits.memory_bytes >> 20, limits.time_ms));
    if let Some(seconds) = compiled(opened) {
        lines.push(format!("compiled in {seconds:.3} s"));
    }
    for table in &said.lookups {
        let columns: Vec<String> = table.columns.iter().map(|(name, ty)| format!("{name} {ty}")).collect();
        lines.push(format!("looks things up in {}: {}", table.name, columns.join(", ")));
    }
    for (function, failure) in said.functions.iter().zip(tried) {
        lines.push(format!("\n{}: {}", signature(function), function.doc));
        let inputs = function.inputs.iter().filter(|input| !input.doc.is_empty());
        lines.extend(inputs.map(|input| format!("  {}: {}", input.name, input.doc)));
        lines.extend(function.settings.iter().map(|setting| {
            let required = if setting.required { ", required" } else { "" };
            format!("  config.{} ({}{required}): {}", setting.name, setting_type(setting.ty), setting.doc)
        }));
        lines.push(match failure {
            None => "  works on made-up rows".to_owned(),
            Some(failure) => format!("  FAILS on made-up rows: {failure}"),
        });
    }
    lines.join("\n")
}

/// `scorer score(spend number, tenure integer?) -> real`
fn signature(function: &PluginFunction) -> String {
    let inputs: Vec<String> = function
        .inputs
        .iter()
        .map(|input| format!("{} {}{}", input.name, input.accepts, if input.nullable { "?" } else { "" }))
        .collect();
    let output = function.output.map_or(String::new(), |ty| format!(" -> {ty}"));
    format!("{} {}({}){output}", function.kind.name(), function.name, inputs.join(", "))
}

fn setting_type(ty: SettingType) -> &'static str {
    match ty {
        SettingType::Boolean => "true or false",
        SettingType::Integer => "whole number",
        SettingType::Number => "number",
        SettingType::Text => "text",
        SettingType::Any => "anything",
    }
}

fn compiled(opened: &Opened) -> Option<f64> {
    let stats = opened.host.stats();
    stats.iter().find(|stats| stats.hash == opened.plugin.file.hash)?.compile_seconds
}

fn document(opened: &Opened, tried: &[Option<String>]) -> Json {
    let (plugin, said) = (&opened.plugin, &opened.plugin.description);
    let functions = said.functions.iter().zip(tried).map(|(function, failure)| {
        let inputs = function.inputs.iter().map(|input| {
            json!({ "name": input.name, "takes": input.accepts.to_string(), "nullable": input.nullable, "doc": input.doc })
        });
        let settings = function.settings.iter().map(|setting| {
            json!({ "name": setting.name, "takes": setting_type(setting.ty), "required": setting.required, "doc": setting.doc })
        });
        json!({
            "name": function.name,
            "kind": function.kind.name(),
            "inputs": inputs.collect::<Vec<_>>(),
            "output": function.output.map(|ty| ty.to_string()),
            "settings": settings.collect::<Vec<_>>(),
            "doc": function.doc,
            "failure": failure,
        })
    });
    let lookups = said.lookups.iter().map(|table| {
        let columns = table.columns.iter().map(|(name, ty)| json!({ "name": name, "type": ty.to_string() }));
        json!({ "name": table.name, "columns": columns.collect::<Vec<_>>() })
    });
    json!({
        "name": said.name,
        "version": said.version,
        "doc": said.doc,
        "sha256": plugin.file.hash.to_string(),
        "bytes": plugin.file.bytes.len(),
        "compile_seconds": compiled(opened),
        "functions": functions.collect::<Vec<_>>(),
        "lookups": lookups.collect::<Vec<_>>(),
    })
}
