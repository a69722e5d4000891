//! SCAN-17: the change brings no binary and no file that is made to hold a secret.
//! Knows names and counted lines of files, nothing of their content.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::controls::path_glob::PathGlobs;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    ChangedFile, Fact, FactKey, FileChange, Platform, Snapshot, Unknown, Why, visible,
};

/// Parameters of SCAN-17.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChangeFreeOfSecretsAndBinaries {
    /// Patterns of files that are made to hold a secret, in lower case; upper case in
    /// a name does not count.
    #[schemars(with = "Vec<String>")]
    secrets: PathGlobs,
    /// Patterns of files that nobody can review line by line, likewise.
    #[schemars(with = "Vec<String>")]
    binaries: PathGlobs,
    /// Patterns of files that may come in all the same, letter for letter.
    #[schemars(with = "Vec<String>")]
    allowed: PathGlobs,
}

impl Default for ChangeFreeOfSecretsAndBinaries {
    fn default() -> Self {
        Self {
            secrets: PathGlobs::literal(&[
                "**/*.{pem,key,p8,p12,pfx,jks,keystore,kdbx,ppk,ovpn}",
                "**/id_{rsa,dsa,ecdsa,ed25519}",
                "**/.env",
                "**/.env.*",
                "**/*.env",
                "**/.{netrc,pypirc,pgpass,htpasswd}",
                "**/.{git-credentials,dockercfg,vault-token}",
                "**/.aws/credentials",
                "**/.docker/config.json",
                "**/.kube/config",
                "**/kubeconfig",
                "**/*.tfstate",
                "**/*.tfstate.backup",
            ]),
            binaries: PathGlobs::literal(&[
                "**/*.{exe,dll,so,dylib,a,lib,o,elf,ko,sys,msi,scr,bin}",
                "**/*.so.*",
                "**/*.{class,jar,war,ear,pyc,pyo,pyd,wasm}",
                "**/*.{whl,egg,gem,nupkg,apk,aab,ipa}",
                "**/*.{deb,rpm,dmg,pkg,iso,img,vmdk,qcow2}",
                "**/*.{zip,tar,tgz,gz,bz2,xz,zst,7z,rar,cab}",
            ]),
            allowed: PathGlobs::literal(&[
                "**/.env.{example,sample,template,dist}",
                "**/*.{png,jpg,jpeg,gif,webp,ico,avif,pdf,woff,woff2,ttf,otf}",
                "**/__init__.py",
                "**/py.typed",
                "**/.{gitkeep,keep}",
            ]),
        }
    }
}

impl Control for ChangeFreeOfSecretsAndBinaries {
    const META: Meta = Meta {
        code: "SCAN-17",
        id: "change-free-of-secrets-and-binaries",
        title: "the change brings no binary and no file made to hold a secret",
        criteria: &[Criterion::Cc6_1, Criterion::Cc6_8],
        frameworks: &[
            (Framework::Iso27001, &["A.8.4", "A.8.12"]),
            (Framework::PciDss, &["6.2.3", "8.6.2"]),
            (Framework::Nist80053, &["IA-5", "CM-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ChangeFiles],
        rationale: "A key stays in the history for ever, and nobody reviews what a program in binary \
                    form does.",
        cheat: "Writing the ending in capitals, adding a character that nobody sees, or moving a key \
                to a harmless name. All of these count. A binary under the name of a text has no \
                lines, which GitHub counts and GitLab does not; a key inside a text is for \
                `secrets-absent`.",
        remedy_github: "take the file out of the change and out of its commits, revoke the secret, and \
                        publish binaries as artifacts of a release",
        remedy_gitlab: "take the file out of the change and out of its commits, revoke the secret, and \
                        publish binaries in the package registry",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.files;
        let files = fact.known()?;
        let mut wrong = Vec::new();
        let mut hidden = None;
        for file in files {
            match self.wrong(file) {
                Ok(Some(words)) => wrong.push(words),
                Ok(None) => {}
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        let key = FactKey::ChangeFiles;
        if !wrong.is_empty() {
            let seen = some(&wrong);
            return Ok(Verdict::fail_because(
                FailReason::Findings,
                Evidence::new(seen.clone(), key, seen, fact.sources()),
            ));
        }
        if let Some(unknown) = hidden {
            return Err(unknown);
        }
        Ok(Verdict::Pass(Evidence::new(
            "no file of the change looks like a secret or a binary",
            key,
            format!("{} files", files.len()),
            fact.sources(),
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        self.secrets
            .left_out(&base.secrets)
            .or_else(|| self.binaries.left_out(&base.binaries))
            .or_else(|| {
                let more = base.allowed.left_out(&self.allowed)?;
                Some(more.replacen("leaves out", "also allows", 1))
            })
    }
}

impl ChangeFreeOfSecretsAndBinaries {
    /// What is wrong with a file, in words.
    ///
    /// # Errors
    /// Why that cannot be told.
    fn wrong(&self, file: &ChangedFile) -> Result<Option<String>, Unknown> {
        if file.kind == FileChange::Removed {
            return Ok(None);
        }
        // Under another name it is still the same key.
        if let Some((path, what)) = file
            .paths()
            .find_map(|path| self.look_of(path).map(|what| (path, what)))
        {
            return Ok(Some(format!("`{path}` looks like a {what}")));
        }
        if let Fact::Unknown(unknown) = &file.previous_path {
            return Err(unknown.clone());
        }
        if has_no_lines(file) && !self.allowed.is_match(&file.path) {
            return Err(Unknown::new(
                FactKey::ChangeFiles.name(),
                Why::NotSupported,
                format!(
                    "no line of `{}` was counted: it is binary, empty, or only its mode changed",
                    file.path
                ),
            ));
        }
        Ok(None)
    }

    /// What a path looks like, if it looks like anything that must not come in.
    fn look_of(&self, path: &str) -> Option<&'static str> {
        let plain = as_read(path);
        let plain = plain.trim_end_matches([' ', '.']);
        let is = |globs: &PathGlobs| globs.is_match(path) || plain != path && globs.is_match(plain);
        let look = if is(&self.secrets) {
            "secret"
        } else if is(&self.binaries) {
            "binary"
        } else {
            return None;
        };
        (!self.allowed.is_match(path)).then_some(look)
    }
}

/// The path without what nobody sees and without capitals.
fn as_read(path: &str) -> Cow<'_, str> {
    // Nearly every path is so already. A comment would begin with `<`.
    if path
        .bytes()
        .all(|byte| matches!(byte, b' '..=b';' | b'['..=b'~'))
    {
        return Cow::Borrowed(path);
    }
    Cow::Owned(visible(path).to_lowercase())
}

/// Whether the platform counted the lines of a new or changed file, and found none.
fn has_no_lines(file: &ChangedFile) -> bool {
    let kept = match file.kind {
        FileChange::Renamed | FileChange::Copied | FileChange::Removed => true,
        FileChange::Added | FileChange::Modified | FileChange::Other(_) => false,
    };
    !kept && file.additions == Some(0) && file.deletions == Some(0)
}

#[cfg(test)]
#[path = "change_free_of_secrets_and_binaries_tests.rs"]
mod tests;
