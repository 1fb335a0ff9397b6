//! The secret that changes over TCP need.

use std::{
    fmt, fs, hint,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tierd_daemon::Project;
use tierd_rules::Http;

/// The name under which systemd hands it over (`LoadCredential=tierd-token:…`).
const CREDENTIAL: &str = "tierd-token";

/// Fewer characters could be guessed.
const SHORTEST: usize = 16;

/// More is no token.
const MAX_BYTES: u64 = 4096;

/// The hash of a token. The token itself isn't kept, and nothing prints it.
#[derive(Clone, Copy)]
pub(crate) struct Token([u8; 32]);

/// Why a token can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The file can't be read.
    #[error("cannot read the token in {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Everybody on this machine may read it.
    #[error("the token in {} may be read by everybody on this machine; `chmod o= {}`", .0.display(), .0.display())]
    Open(PathBuf),
    /// It isn't a token.
    #[error(
        "{} holds no token: one line of at least {SHORTEST} letters, digits and signs without spaces; `openssl rand -hex 32` makes one",
        .0.display()
    )]
    Unusable(PathBuf),
}

impl Token {
    /// The token of a project: in the file that its configuration names, or else among the credentials that systemd has handed to this
    /// process; `None` where there is neither.
    pub(crate) fn find(project: &Project, http: &Http) -> Result<Option<Self>, TokenError> {
        let named = http.token_file.as_ref().map(|file| project.folder().join(file));
        let credential = || {
            let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
            Some(Path::new(&folder).join(CREDENTIAL)).filter(|path| path.exists())
        };
        named.or_else(credential).map(|path| Token::read(&path)).transpose()
    }

    /// The token in a file, which others must not be able to read.
    pub(crate) fn read(path: &Path) -> Result<Self, TokenError> {
        let unreadable = |source| TokenError::Unreadable { path: path.to_owned(), source };
        let file = fs::File::open(path).map_err(unreadable)?;
        let others = file.metadata().map_err(unreadable)?.permissions().mode() & 0o007;
        if others != 0 {
            return Err(TokenError::Open(path.to_owned()));
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
        let token = bytes.trim_ascii();
        if token.len() < SHORTEST || !token.iter().all(u8::is_ascii_graphic) {
            return Err(TokenError::Unusable(path.to_owned()));
        }
        Ok(Token::of(token))
    }

    fn of(token: &[u8]) -> Self {
        Token(Sha256::digest(token).into())
    }

    /// Whether this is the token. The time it takes tells nothing of how much of it is right: hashes are compared, and to their end.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        let given = Token::of(given);
        let different = self.0.iter().zip(given.0).fold(0, |different, (a, b)| hint::black_box(different | (a ^ b)));
        different == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, mode: u32) -> Result<Token, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Token::read(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
    }

    #[test]
    fn only_the_token_is_the_token() {
        let token = written("0123456789abcdef\n", 0o640).unwrap();
        assert!(token.is(b"0123456789abcdef"));
        for other in ["", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef ", "0123456789abcdef0"] {
            assert!(!token.is(other.as_bytes()), "{other:?}");
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn a_token_that_everybody_can_read_is_refused() {
        for mode in [0o644, 0o604, 0o602, 0o601] {
            assert!(written("0123456789abcdef", mode).unwrap_err().contains("`chmod o= FILE`"), "{mode:o}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "\n", "short", "0123456789abcdef two", "0123456789 abcdefgh", "ключключключключ"]
        {
            assert!(written(text, 0o600).unwrap_err().starts_with("FILE holds no token"), "{text:?}");
        }
    }
}
