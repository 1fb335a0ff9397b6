//! How a daemon is reached: `[http]`.
//!
//! Without a word in it a daemon is reached from its own machine alone, and what is written here can't open it by mistake: an
//! address that other machines reach needs a token.

use std::net::SocketAddr;

use super::Checking;
use crate::{
    code,
    config::Http,
    raw::{At, schedule::HttpTable},
};

pub(super) const OFF: &str = "off";

impl Checking<'_> {
    pub(super) fn http(&mut self, written: Option<&At<HttpTable>>) -> Option<Http> {
        let Some(written) = written else {
            return Some(Http::default());
        };
        let (table, default) = (written.value.as_ref()?, Http::default());
        let listen = match &table.listen {
            Some(listen) => self.listen(listen, table.token_file.is_some()),
            None => Some(default.listen),
        };
        let socket = match &table.socket {
            Some(socket) => self.text(socket).map(|path| Some(path).filter(|path| path != OFF)),
            None => Some(default.socket),
        };
        let token_file = match &table.token_file {
            Some(file) => self.text(file).map(Some),
            None => Some(None),
        };
        let hosts = self.each(
            table.hosts.as_ref(),
            is_host,
            "is no host",
            "write a name, with a port where it isn't the usual one: \"tierd.example.com:8443\"",
        );
        let origins = self.each(
            table.origins.as_ref(),
            is_origin,
            "is no origin",
            "write scheme and host, without a path: \"https://console.example.com\"",
        );
        Some(Http { listen: listen?, socket: socket?, token_file: token_file?, hosts: hosts?, origins: origins? })
    }

    /// Address and port; `Some(None)` for none.
    fn listen(&mut self, written: &At<String>, token: bool) -> Option<Option<SocketAddr>> {
        let text = self.text(written)?;
        if text == OFF {
            return Some(None);
        }
        let Ok(address) = text.parse::<SocketAddr>() else {
            let help = match text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')) {
                Some(port) => format!("write the address as digits: \"127.0.0.1:{port}\""),
                None => "write an address with its port, such as \"127.0.0.1:7411\", or \"off\"".to_owned(),
            };
            self.error(code::BAD_ADDRESS, &written.at, format!("`{text}` is no address with a port"), help);
            return None;
        };
        if !address.ip().is_loopback() && !token {
            let headline = format!("other machines reach `{text}`, and there is no token");
            let help = "write token_file = \"token\", or listen on 127.0.0.1 behind a proxy";
            self.error(code::MISSING_TOKEN, &written.at, headline, help);
            return None;
        }
        Some(Some(address))
    }

    /// Texts of a list in lower case, all of which must be good.
    fn each(
        &mut self,
        written: Option<&At<Vec<At<String>>>>,
        good: fn(&str) -> bool,
        not: &str,
        help: &str,
    ) -> Option<Vec<String>> {
        let Some(written) = written else {
            return Some(vec![]);
        };
        let texts: Vec<Option<String>> = written
            .value
            .as_ref()?
            .iter()
            .map(|text| {
                let value = text.value.as_ref()?.to_ascii_lowercase();
                if !good(&value) {
                    self.error(code::BAD_ADDRESS, &text.at, format!("`{value}` {not}"), help);
                    return None;
                }
                Some(value)
            })
            .collect();
        texts.into_iter().collect()
    }
}

/// A name or address, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !name.ends_with(':') && !text.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let good = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    let named = !name.is_empty() && name.chars().all(good);
    let addressed = address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    (named || addressed) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_origin(text: &str) -> bool {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).is_some_and(is_host)
}
