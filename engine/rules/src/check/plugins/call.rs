//! Calls: which function of which plugin, what it is given, and whether it takes that.

use serde_json::{Map, Value as Json};

use super::{Given, Offer};
use crate::{
    Expr,
    check::{Checking, catalog::Catalog},
    code,
    diagnostic::Diagnostic,
    fileset::Location,
    plugin::{Accepts, OnPluginError, PluginCall, PluginFunction, PluginId, PluginInput, PluginKind},
    raw::{At, Name, Named},
    suggest::nearest,
    syntax::Node,
    typing::Typing,
};

/// What is called: a function of a plugin that is good.
#[derive(Clone, Copy)]
pub(in crate::check) struct Callee<'c> {
    id: PluginId,
    offer: &'c Offer,
    pub(in crate::check) function: &'c PluginFunction,
}

/// A call before its inputs are typed.
#[derive(Clone)]
pub(in crate::check) struct Call {
    id: PluginId,
    function: PluginFunction,
    config: Map<String, Json>,
    on_error: OnPluginError,
    at: Location,
}

impl Checking<'_> {
    /// The function that is named.
    pub(in crate::check) fn callee<'c>(
        &mut self,
        plugin: &At<String>,
        function: Option<&At<String>>,
        catalog: &'c Catalog,
    ) -> Option<Callee<'c>> {
        let (id, offer) = self.plugin_named(plugin, catalog)?;
        let description = offer.description.as_ref()?;
        let names = || description.functions.iter().map(|function| function.name.as_str());
        let Some(written) = function else {
            let help = format!("say which one: function = \"{}\"", names().next().unwrap_or("score"));
            self.error(code::MISSING_KEY, &plugin.at, "nothing says which function of the plugin", help);
            return None;
        };
        let name = written.value.as_ref()?;
        let found = description.function(name);
        if found.is_none() {
            let help = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its functions are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let headline = format!("plugin `{}` has no function `{name}`", offer.name);
            self.error(code::UNKNOWN_FUNCTION, &written.at, headline, help);
        }
        Some(Callee { id, offer, function: found? })
    }

    /// The call, but for its inputs.
    pub(in crate::check) fn plugin_call(
        &mut self,
        callee: Callee<'_>,
        config: Given<'_>,
        on_error: Option<OnPluginError>,
        at: &Location,
    ) -> Option<Call> {
        let config = self.settings(config, callee.offer, callee.function, at);
        let (id, function) = (callee.id, callee.function.clone());
        Some(Call { id, function, config: config?, on_error: on_error?, at: at.clone() })
    }

    /// Reports a planner that is called for nothing, as it is let propose nothing; `at` is where it is named.
    pub(in crate::check) fn may_propose(&mut self, callee: Callee<'_>, at: &Location) {
        let (name, granted) = (&callee.offer.name, &callee.offer.granted);
        if granted.proposes_nothing() {
            let headline = format!("plugin `{name}` may propose nothing");
            let help =
                format!("grant it in tierd.toml: [plugin.{name}] actions = {{ tasks = true }}, or events = [\"…\"]");
            self.error(code::MISSING_GRANT, at, headline, help);
        }
    }

    /// What is given for each input of the function, in its order; `at` is where the call is.
    pub(in crate::check) fn inputs(
        &mut self,
        function: &PluginFunction,
        written: Option<&At<Named<String>>>,
        at: &Location,
    ) -> Option<Vec<Node>> {
        let given = match written {
            Some(written) => written.value.as_ref()?.0.as_slice(),
            None => &[],
        };
        let unknown = given.iter().filter(|(name, _)| function.inputs.iter().all(|input| input.name != name.text));
        let unknown: Vec<&Name> = unknown.map(|(name, _)| name).collect();
        unknown.iter().for_each(|name| self.unknown_input(name, function));
        let mut nodes = vec![];
        for input in &function.inputs {
            nodes.push(match given.iter().find(|(name, _)| name.text == input.name) {
                Some((_, text)) => self.parse(text),
                // Under a name that is reported as a slip of this one it isn't missing.
                None if unknown.iter().any(|name| meant(name, function) == Some(&*input.name)) => None,
                None => {
                    self.missing_input(input, function, written.map_or(at, |written| &written.at));
                    None
                }
            });
        }
        nodes.into_iter().collect::<Option<_>>().filter(|_| unknown.is_empty())
    }

    fn unknown_input(&mut self, name: &Name, function: &PluginFunction) {
        let names = function.inputs.iter().map(|input| input.name.as_str());
        let help = match meant(name, function) {
            Some(near) => format!("did you mean `{near}`?"),
            None if function.inputs.is_empty() => "it takes none: leave it out".to_owned(),
            None => format!("its inputs are {}", names.collect::<Vec<_>>().join(", ")),
        };
        let headline = format!("`{}` has no input `{}`", function.name, name.text);
        self.error(code::UNKNOWN_INPUT, &name.at, headline, help);
    }

    fn missing_input(&mut self, input: &PluginInput, function: &PluginFunction, at: &Location) {
        let headline = format!("`{}` needs the input `{}`", function.name, input.name);
        let doc = if input.doc.is_empty() { String::new() } else { format!(": {}", input.doc) };
        let over =
            if function.kind == PluginKind::Aggregator { "columns of the facts" } else { "metrics and attributes" };
        let help = format!("write {} = \"…\" in `inputs`: {} over {over}{doc}", input.name, what(input.accepts));
        self.error(code::MISSING_INPUT, at, headline, help);
    }
}

impl Call {
    /// The call with its inputs, each of the type that the function takes.
    pub(in crate::check) fn typed(&self, nodes: &[Node], typing: &mut Typing<'_>) -> Option<PluginCall> {
        let function = &self.function;
        let typed: Vec<Option<Expr>> = nodes
            .iter()
            .zip(&function.inputs)
            .map(|(node, input)| typing.value(node).and_then(|expr| typing.input(expr, input, &function.name)))
            .collect();
        let required = function.inputs.iter().enumerate().filter(|(_, input)| !input.nullable);
        Some(PluginCall {
            plugin: self.id,
            function: function.name.clone(),
            kind: function.kind,
            inputs: typed.into_iter().collect::<Option<_>>()?,
            required: required.map(|(place, _)| place).collect(),
            config: self.config.clone(),
            on_error: self.on_error,
            at: self.at.clone(),
        })
    }
}

impl Typing<'_> {
    /// The expression as the input takes it.
    fn input(&mut self, expr: Expr, input: &PluginInput, function: &str) -> Option<Expr> {
        let (ty, at) = (expr.ty, expr.at.clone());
        let found = match input.accepts {
            Accepts::Number => self.as_real(expr.clone()),
            Accepts::Exactly(ty) => self.as_type(expr.clone(), ty),
        };
        if found.is_none() {
            let headline = format!("`{}` of `{function}` takes {}, this is {ty}", input.name, what(input.accepts));
            let help = self.input_help(&expr, input.accepts);
            self.out.push(Diagnostic::error(code::TYPE_MISMATCH, &at, headline).help(help));
        }
        found
    }

    fn input_help(&self, expr: &Expr, accepts: Accepts) -> String {
        use tierd_model::Type;
        match (accepts, expr.ty) {
            (Accepts::Exactly(to), from) if to.is_numeric() && from.is_numeric() => {
                format!("write cast({} as {to})", self.quote(&expr.at))
            }
            (Accepts::Exactly(Type::Date), Type::Timestamp) => format!("write date({})", self.quote(&expr.at)),
            (accepts, _) => format!("name a metric, attribute or column that is {}", what(accepts)),
        }
    }
}

/// The input that a name is a slip of.
fn meant<'f>(name: &Name, function: &'f PluginFunction) -> Option<&'f str> {
    nearest(&name.text, function.inputs.iter().map(|input| input.name.as_str()))
}

fn what(accepts: Accepts) -> String {
    match accepts {
        Accepts::Exactly(ty) => ty.to_string(),
        Accepts::Number => "a number".to_owned(),
    }
}
