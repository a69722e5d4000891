//! Tokens: secrets that leave the program only in a header. Knows how to hide
//! them; does not know what they may read.

use std::fmt;

/// A token. It has no readable `Debug` or `Display`, and leaves only in a header.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: String,
    job: bool,
}

impl Token {
    /// Wraps a personal, project, group, app or workflow token.
    pub fn new(secret: String) -> Self {
        Self { secret, job: false }
    }

    /// Wraps GitLab's `CI_JOB_TOKEN`, which goes in another header than all others.
    pub fn job(secret: String) -> Self {
        Self { secret, job: true }
    }

    /// Whether it is a CI job token, by declaration or by its prefix.
    pub(crate) fn is_job(&self) -> bool {
        self.job || self.secret.starts_with("glcbt-")
    }

    /// A header value with the secret behind `prefix`, marked so that no log shows it.
    pub(crate) fn header(&self, prefix: &str) -> anyhow::Result<http::HeaderValue> {
        anyhow::ensure!(
            !self.secret.is_empty(),
            "the token is empty; check that the variable that holds it is set for this job"
        );
        let allowed = |byte: u8| byte.is_ascii_graphic();
        anyhow::ensure!(
            self.secret.bytes().all(allowed),
            "the token holds a space, a line break or another character that no token has; \
             set it again without them"
        );
        let mut value = http::HeaderValue::from_str(&format!("{prefix}{}", self.secret))
            .map_err(|_| anyhow::anyhow!("the token cannot be sent in a header; set it again"))?;
        value.set_sensitive(true);
        Ok(value)
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

    #[test]
    fn a_token_never_shows_in_debug_output() {
        let token = Token::new("ghs_verysecret".to_owned());
        assert_eq!(format!("{token:?}"), "Token(…)");
        let header = token.header("Bearer ").unwrap();
        assert!(header.is_sensitive());
        assert!(!format!("{header:?}").contains("verysecret"));
    }

    #[test]
    fn a_token_with_a_line_break_is_refused_without_being_printed() {
        for bad in [
            "ghs_secret\n",
            "ghs secret",
            "ghs_sécret",
            "\u{7f}secret",
            "",
        ] {
            let error = Token::new(bad.to_owned()).header("Bearer ").unwrap_err();
            assert!(!format!("{error:#}").contains("cret"), "{error}");
        }
    }

    #[test]
    fn a_job_token_is_known_by_declaration_or_prefix() {
        assert!(Token::job("64_abc".to_owned()).is_job());
        assert!(Token::new("glcbt-64_abc".to_owned()).is_job());
        assert!(!Token::new("glpat-abc".to_owned()).is_job());
    }
}
