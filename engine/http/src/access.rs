//! Who may ask for what.
//!
//! A browser on this machine reaches loopback addresses for any page that it shows. So a request must name this service in `Host` (a page
//! whose name was rebound to 127.0.0.1 sends its own), and must come from a page that is allowed to ask, where it says from which
//! (`Origin`). What may change something also needs the token over TCP; over the Unix socket the operating system says who asks.
//! There are no cookies, so that nothing is allowed to a browser because of whom it belongs to.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::IpAddr, sync::Arc};
use tierd_rules::Http;

use crate::{problem::Problem, token::Token};

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Anybody who can reach the address.
    Tcp,
    /// A process on this machine; `trusted` if it runs as the daemon's user, as root, or as one whom the socket's file lets in.
    Unix {
        /// Whether it may change something.
        trusted: bool,
    },
}

/// The rules of access.
#[derive(Debug)]
pub(crate) struct Access {
    token: Option<Token>,
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// What a proxy adds: then the one who asks isn't the one who connected.
const FORWARDED: [HeaderName; 2] = [header::FORWARDED, HeaderName::from_static("x-forwarded-for")];

impl Access {
    pub(crate) fn new(http: &Http, token: Option<Token>) -> Self {
        let lower = |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Access { token, hosts: lower(&http.hosts), origins: lower(&http.origins) }
    }

    /// Refuses what isn't allowed, and lets everything else pass; `Ok` has the other origin that may read the answer.
    fn check(&self, method: &Method, headers: &HeaderMap, peer: Peer) -> Result<Option<HeaderValue>, Problem> {
        let host = self.host(headers)?;
        let origin = self.origin(headers, &host)?;
        if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            self.change(headers, peer)?;
        }
        Ok(origin)
    }

    /// The name by which the request was sent here.
    fn host(&self, headers: &HeaderMap) -> Result<String, Problem> {
        let given: Vec<&HeaderValue> = headers.get_all(header::HOST).iter().collect();
        let [host] = given.as_slice() else {
            return Err(Problem::bad_request("a request has exactly one `Host`"));
        };
        let host = host.to_str().unwrap_or_default().to_ascii_lowercase();
        let authority = host.parse::<Authority>().ok().filter(|authority| !authority.as_str().contains('@'));
        let loopback = authority.as_ref().is_some_and(|authority| is_loopback(authority.host()));
        if loopback || self.hosts.contains(&host) {
            return Ok(host);
        }
        let detail = "this service doesn't go by the name in `Host`; `hosts` in [http] of tierd.toml lists the names that it has";
        Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown-host", detail))
    }

    /// The page that asks, if it isn't one of ours.
    fn origin(&self, headers: &HeaderMap, host: &str) -> Result<Option<HeaderValue>, Problem> {
        let given: Vec<&HeaderValue> = headers.get_all(header::ORIGIN).iter().collect();
        let origin = match given.as_slice() {
            [] => return Ok(None),
            [origin] => *origin,
            _ => return Err(Problem::bad_request("a request has at most one `Origin`")),
        };
        let text = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        let own = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")) == Some(host);
        match (own, self.origins.contains(&text)) {
            (true, _) => Ok(None),
            (false, true) => Ok(Some(origin.clone())),
            (false, false) => {
                let detail =
                    "pages of this `Origin` may not ask; `origins` in [http] of tierd.toml lists those that may";
                Err(Problem::new(StatusCode::FORBIDDEN, "unknown-origin", detail))
            }
        }
    }

    fn change(&self, headers: &HeaderMap, peer: Peer) -> Result<(), Problem> {
        let forwarded = FORWARDED.iter().any(|name| headers.contains_key(name));
        if peer == (Peer::Unix { trusted: true }) && !forwarded {
            return Ok(());
        }
        let Some(token) = &self.token else {
            let detail = "what changes something needs a token, and this service has none: name a `token_file` in [http] of tierd.toml, or ask over \
                          the Unix socket";
            return Err(Problem::new(StatusCode::FORBIDDEN, "no-token", detail));
        };
        let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        match given.and_then(bearer) {
            Some(given) if token.is(given) => Ok(()),
            Some(_) => Err(unauthorized(
                "wrong-token",
                "this isn't the token",
                "Bearer realm=\"tierd\", error=\"invalid_token\"",
            )),
            None => {
                let detail = "what changes something needs `Authorization: Bearer TOKEN`";
                Err(unauthorized("token-needed", detail, "Bearer realm=\"tierd\""))
            }
        }
    }
}

fn unauthorized(kind: &'static str, detail: &str, challenge: &'static str) -> Problem {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, kind, detail);
    problem.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// What follows the word `Bearer`, in any case (RFC 9110, 11.1).
fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked(6)?;
    let token = scheme.eq_ignore_ascii_case(b"bearer").then_some(token)?.strip_prefix(b" ")?;
    Some(token.trim_ascii())
}

fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Lets a request pass, or answers it with the reason why not.
pub(crate) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::Tcp);
    let origin = match access.check(request.method(), request.headers(), peer) {
        Ok(origin) => origin,
        Err(problem) => return problem.into_response(),
    };
    let preflight = origin.is_some() && request.method() == Method::OPTIONS;
    let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    if let Some(origin) = origin {
        allow_reading(response.headers_mut(), origin, preflight);
    }
    response
}

/// Tells the browser that this other page, and no other, may read the answer (CORS).
fn allow_reading(headers: &mut HeaderMap, origin: HeaderValue, preflight: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag, location, retry-after"));
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        let asked = HeaderValue::from_static("authorization, content-type, if-none-match");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_these_names() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["", "localhost.example.com", "127.0.0.1.example.com", "example.com", "[::2]", "0.0.0.0", "192.168.0.1"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn the_word_bearer_comes_in_any_case_and_nothing_else_does() {
        assert_eq!(bearer(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer(b"bEARER  abc "), Some(&b"abc"[..]));
        for other in [&b""[..], b"Bearer", b"Bearerabc", b"Basic abc", b"abc"] {
            assert_eq!(bearer(other), None, "{other:?}");
        }
    }
}
