//! Settings: those that a rule gives, and under them those of `[plugin.NAME]`.

use serde_json::{Map, Value as Json};

use super::Offer;
use crate::{
    check::Checking,
    code,
    fileset::Location,
    plugin::{PluginFunction, PluginSetting, SettingType},
    raw::{At, Name, Named, plugin::Setting},
    suggest::nearest,
};

/// Settings as a rule gives them; `None` for none.
pub(in crate::check) type Given<'a> = Option<&'a At<Named<Setting>>>;

impl Checking<'_> {
    /// The settings of a call, in the order of the function. `at` is where the call is.
    pub(super) fn settings(
        &mut self,
        written: Given<'_>,
        offer: &Offer,
        function: &PluginFunction,
        at: &Location,
    ) -> Option<Map<String, Json>> {
        let own = match written {
            Some(written) => written.value.as_ref()?.0.as_slice(),
            None => &[],
        };
        let mut good = true;
        for (name, value) in own {
            match function.settings.iter().find(|setting| setting.name == name.text) {
                Some(setting) => good &= self.setting(setting, value),
                None => {
                    self.unknown_setting(
                        name,
                        &format!("`{}`", function.name),
                        &function.settings.iter().collect::<Vec<_>>(),
                    );
                    good = false;
                }
            }
        }
        let mut out = Map::new();
        for setting in &function.settings {
            match value_of(own, setting).or_else(|| value_of(&offer.granted.config.0, setting)) {
                Some(value) => _ = out.insert(setting.name.clone(), value.value.as_ref()?.0.clone()),
                None if setting.required => {
                    let headline = format!("`{}` needs the setting `{}`", function.name, setting.name);
                    let help = format!("write config = {{ {} = … }}: {}", setting.name, takes(setting.ty));
                    self.error(code::MISSING_SETTING, at, headline, help);
                    good = false;
                }
                None => {}
            }
        }
        good.then_some(out)
    }

    /// Whether each setting of `[plugin.NAME]` is one of some function, and of the type that all who have it take.
    pub(super) fn defaults(&mut self, offer: &Offer) {
        let Some(description) = &offer.description else { return };
        let all: Vec<&PluginSetting> = description.functions.iter().flat_map(|function| &function.settings).collect();
        for (name, value) in &offer.granted.config.0 {
            let mut named = all.iter().filter(|setting| setting.name == name.text).peekable();
            if named.peek().is_none() {
                self.unknown_setting(name, &format!("plugin `{}`", offer.name), &all);
            }
            named.all(|setting| self.setting(setting, value));
        }
    }

    /// Whether a value is of the setting's type.
    fn setting(&mut self, setting: &PluginSetting, value: &At<Setting>) -> bool {
        let Some(Setting(json)) = &value.value else { return false };
        let good = match setting.ty {
            SettingType::Boolean => json.is_boolean(),
            SettingType::Integer => json.is_i64(),
            SettingType::Number => json.is_number(),
            SettingType::Text => json.is_string(),
            SettingType::Any => true,
        };
        if !good {
            let headline = format!("the setting `{}` is {}", setting.name, takes(setting.ty));
            let help = match setting.ty {
                SettingType::Boolean => "write true or false, without quotes",
                SettingType::Integer => "write such as 12, without quotes",
                SettingType::Number => "write such as 12 or 0.5, without quotes",
                SettingType::Text | SettingType::Any => "write it in quotes",
            };
            self.error(code::BAD_SETTING, &value.at, headline, help);
        }
        good
    }

    fn unknown_setting(&mut self, name: &Name, owner: &str, known: &[&PluginSetting]) {
        let names = known.iter().map(|setting| setting.name.as_str());
        let help = match nearest(&name.text, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "it has none: leave it out".to_owned(),
            None => format!("it has {}", names.collect::<Vec<_>>().join(", ")),
        };
        self.error(code::UNKNOWN_SETTING, &name.at, format!("{owner} has no setting `{}`", name.text), help);
    }
}

fn value_of<'a>(given: &'a [(Name, At<Setting>)], setting: &PluginSetting) -> Option<&'a At<Setting>> {
    given.iter().find(|(name, _)| name.text == setting.name).map(|(_, value)| value)
}

fn takes(ty: SettingType) -> &'static str {
    match ty {
        SettingType::Boolean => "true or false",
        SettingType::Integer => "a whole number",
        SettingType::Number => "a number",
        SettingType::Text => "a text",
        SettingType::Any => "any data",
    }
}
