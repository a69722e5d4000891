//! SCAN-17: the change brings no binary and no file that is made to hold a secret.
//! Knows names and counted lines of files, nothing of their content.

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
                "**/.{netrc,pypirc,pgpass,htpasswd,git-credentials,dockercfg,vault-token}",
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
                "**/*.{class,jar,war,ear,pyc,pyo,pyd,wasm,whl,egg,gem,nupkg,apk,aab,ipa}",
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
        if self.allowed.is_match(path) {
            return None;
        }
        let plain = visible(path).to_lowercase();
        let plain = plain.trim_end_matches([' ', '.']);
        let is = |globs: &PathGlobs| globs.is_match(path) || globs.is_match(plain);
        if is(&self.secrets) {
            Some("secret")
        } else if is(&self.binaries) {
            Some("binary")
        } else {
            None
        }
    }
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
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::testing::{changed, hidden, moved, nothing_seen, seen, verdict_of};

    fn control(parameters: Value) -> ChangeFreeOfSecretsAndBinaries {
        serde_json::from_value(parameters).unwrap()
    }

    fn verdict_with(parameters: Value, files: Vec<ChangedFile>) -> String {
        let mut facts = nothing_seen();
        facts.files = seen(files);
        verdict_of(&control(parameters), &facts)
    }

    fn verdict(files: Vec<ChangedFile>) -> String {
        verdict_with(json!({}), files)
    }

    #[test]
    fn texts_pass_and_each_key_and_binary_fails() {
        assert_eq!(verdict(vec![]), "pass");
        for path in [
            "src/lib.rs",
            "docs/keys.md",
            "keys/server.pub",
            ".env.example",
            "a.environment",
            "Keyfile",
            "logo.png",
        ] {
            assert_eq!(verdict(vec![changed(path)]), "pass", "{path}");
        }
        for path in [
            "server.key",
            "deploy/tls/server.pem",
            "id_ed25519",
            "home/.ssh/id_rsa",
            ".env",
            "web/.env.production",
            "prod.env",
            "infra/terraform.tfstate",
            ".aws/credentials",
            "bin/tool.exe",
            "lib/libx.so.6",
            "gradle/wrapper/gradle-wrapper.jar",
            "dist.tar.gz",
        ] {
            let files = vec![changed("src/lib.rs"), changed(path)];
            assert_eq!(verdict(files), "fail findings", "{path}");
        }
    }

    /// The cheat: the same file under a name that a plain comparison does not know.
    #[test]
    fn capitals_and_characters_that_nobody_sees_hide_nothing() {
        for path in [
            "Server.PEM",
            "ID_RSA",
            "deploy/.ENV",
            "server.key\u{200b}",
            "server.k\u{ad}ey",
            "server.key ",
            "server.key.",
            "Tool.EXE",
        ] {
            assert_eq!(verdict(vec![changed(path)]), "fail findings", "{path:?}");
        }
        // What is allowed is allowed letter for letter.
        assert_eq!(verdict(vec![changed(".ENV.EXAMPLE")]), "fail findings");
    }

    /// The cheat: a key that is moved to a harmless name is still there.
    #[test]
    fn a_key_that_was_moved_counts_and_one_that_was_removed_does_not() {
        let from = |path: &str| seen(Some(path.to_owned()));
        assert_eq!(
            verdict(vec![moved(from("server.key"), "notes.txt")]),
            "fail findings"
        );
        assert_eq!(verdict(vec![moved(from("a.txt"), "b.txt")]), "pass");
        assert_eq!(verdict(vec![moved(hidden(), "b.txt")]), "unknown");
        assert_eq!(
            verdict(vec![moved(hidden(), "b.txt"), changed("server.key")]),
            "fail findings"
        );
        let removed = ChangedFile {
            kind: FileChange::Removed,
            ..changed("server.key")
        };
        assert_eq!(verdict(vec![removed]), "pass");
    }

    /// The cheat: a binary under the name of a text.
    #[test]
    fn a_file_without_counted_lines_is_unknown_unless_it_may_be_empty() {
        let blank = |path: &str, kind: FileChange| ChangedFile {
            kind,
            additions: Some(0),
            deletions: Some(0),
            ..changed(path)
        };
        for kind in [
            FileChange::Added,
            FileChange::Modified,
            FileChange::Other("x".to_owned()),
        ] {
            assert_eq!(verdict(vec![blank("notes.txt", kind)]), "unknown");
        }
        for path in ["pkg/__init__.py", "logs/.gitkeep", "logo.png"] {
            assert_eq!(verdict(vec![blank(path, FileChange::Added)]), "pass");
        }
        let moved = blank("notes.txt", FileChange::Renamed);
        assert_eq!(verdict(vec![moved]), "pass");
        let uncounted = ChangedFile {
            additions: None,
            deletions: None,
            ..changed("notes.txt")
        };
        assert_eq!(verdict(vec![uncounted]), "pass");
    }

    #[test]
    fn hidden_files_are_unknown() {
        let mut facts = nothing_seen();
        facts.files = hidden();
        assert_eq!(verdict_of(&control(json!({})), &facts), "unknown");
    }

    #[test]
    fn what_is_allowed_passes_and_allowing_more_or_looking_for_less_is_weaker() {
        let wrapper = "gradle/wrapper/gradle-wrapper.jar";
        let base = control(json!({}));
        let own = json!({"allowed": [wrapper]});
        assert_eq!(verdict_with(own.clone(), vec![changed(wrapper)]), "pass");
        assert_eq!(
            verdict_with(own.clone(), vec![changed("other/gradle-wrapper.jar")]),
            "fail findings"
        );
        assert!(control(own).weaker_than(&base).is_some());
        assert!(control(json!({"secrets": []})).weaker_than(&base).is_some());
        assert!(
            control(json!({"binaries": []}))
                .weaker_than(&base)
                .is_some()
        );
        assert!(control(json!({"allowed": []})).weaker_than(&base).is_none());
        assert!(base.weaker_than(&control(json!({"allowed": []}))).is_some());
    }

    #[test]
    fn a_broken_pattern_is_refused() {
        let broken = json!({"allowed": ["a{"]});
        assert!(serde_json::from_value::<ChangeFreeOfSecretsAndBinaries>(broken).is_err());
    }
}
