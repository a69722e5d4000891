//! PIPE-04: every foreign part of a pipeline is pinned by digest. What a pinned
//! part brings in by itself is not known here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::Names;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong, some};
use crate::criteria::{Criterion, Framework};
use crate::facts::{DefinitionFile, FactKey, ForeignPart, Platform, Snapshot, Unknown};

/// Parameters of PIPE-04.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForeignPartsPinned {
    /// Patterns of names of parts that need no digest, e.g. `actions/*`.
    #[schemars(with = "Vec<String>")]
    exempt: Names,
}

impl Control for ForeignPartsPinned {
    const META: Meta = Meta {
        code: "PIPE-04",
        id: "foreign-parts-pinned",
        title: "every foreign part of a pipeline is pinned by digest",
        criteria: &[Criterion::Cc9_2, Criterion::Cc6_8],
        frameworks: &[
            (Framework::Iso27001, &["A.5.21", "A.8.28"]),
            (Framework::PciDss, &["6.3.2", "6.5.3"]),
            (Framework::Nist80053, &["SR-3", "SI-7"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::PipelineDefinition],
        rationale: "A tag or branch of another repository can be moved to other code at any time, \
                    and the next run executes it with this repository's secrets.",
        cheat: "Pinning the actions and leaving images and includes on tags, or writing a short \
                commit id, which can be met by another commit. Every kind of part in every file \
                counts, and only a whole digest is a pin.",
        remedy_github: "write the full commit id behind `@` of every action and reusable workflow \
                        and the `sha256` digest behind every image; let a bot keep them up to date",
        remedy_gitlab: "give every include of another project a full commit id as `ref`, every \
                        remote include its `integrity`, and every image its `sha256` digest",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.definition;
        let definition = fact.known()?;
        if definition.files.is_empty() {
            return Ok(Verdict::NotApplicable(Evidence::new(
                "there is no definition of a pipeline",
                FactKey::PipelineDefinition,
                "no file",
                fact.sources(),
            )));
        }
        none_wrong(
            &definition.files,
            &Says {
                key: FactKey::PipelineDefinition,
                good: "every foreign part is pinned by digest",
                bad: "foreign parts can change without a change here",
            },
            fact.sources(),
            |file| self.loose(file),
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        self.exempt
            .beyond(&base.exempt)
            .map(|more| format!("lets {more} go without a digest"))
    }
}

impl ForeignPartsPinned {
    /// The parts of a file that are not pinned, in words.
    fn loose(&self, file: &DefinitionFile) -> Result<Option<String>, Unknown> {
        let loose: Vec<String> = file
            .content
            .known()?
            .parts
            .iter()
            .filter(|part| !part.own && !part.pinned && !self.exempt.mean(&part.name))
            .map(written)
            .collect();
        Ok((!loose.is_empty()).then(|| format!("{} in {}", some(&loose), file.path)))
    }
}

fn written(part: &ForeignPart) -> String {
    match &part.reference {
        Some(reference) => format!("`{}` at `{reference}`", part.name),
        None => format!("`{}` without reference", part.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::pipeline::testing::{defined, definition, file, file_of};
    use crate::controls::testing::{hidden, nothing_seen, verdict_of};
    use crate::facts::PartKind;

    fn part(name: &str, pinned: bool) -> ForeignPart {
        ForeignPart {
            kind: PartKind::Image,
            name: name.to_owned(),
            reference: pinned.then(|| "sha256:aa".to_owned()),
            pinned,
            own: false,
        }
    }

    fn with(parts: Vec<ForeignPart>) -> DefinitionFile {
        let mut content = definition(Vec::new());
        content.parts = parts;
        file("ci.yml", content)
    }

    fn verdict(files: Vec<DefinitionFile>) -> String {
        verdict_of(&ForeignPartsPinned::default(), &defined(files))
    }

    #[test]
    fn pinned_and_own_parts_pass() {
        let own = ForeignPart {
            own: true,
            ..part("./local", false)
        };
        assert_eq!(verdict(vec![with(vec![part("alpine", true), own])]), "pass");
        assert_eq!(verdict(vec![with(Vec::new())]), "pass");
    }

    #[test]
    fn one_loose_part_in_any_file_fails() {
        let files = vec![with(vec![part("a", true)]), with(vec![part("b", false)])];
        assert_eq!(verdict(files), "fail");
    }

    #[test]
    fn a_file_that_cannot_be_read_leaves_it_unknown_unless_another_one_is_wrong() {
        let unread = || file_of("included files", hidden());
        assert_eq!(verdict(vec![with(Vec::new()), unread()]), "unknown");
        assert_eq!(
            verdict(vec![unread(), with(vec![part("a", false)])]),
            "fail"
        );
        let nothing = nothing_seen();
        assert_eq!(
            verdict_of(&ForeignPartsPinned::default(), &nothing),
            "unknown"
        );
    }

    #[test]
    fn without_any_definition_there_is_nothing_to_judge() {
        assert_eq!(verdict(Vec::new()), "not_applicable");
    }

    #[test]
    fn an_exempt_name_may_float_and_a_longer_list_is_weaker() {
        let lax = ForeignPartsPinned {
            exempt: Names::literal(&["actions/*"]),
        };
        let of = |name| defined(vec![with(vec![part(name, false)])]);
        assert_eq!(verdict_of(&lax, &of("actions/checkout")), "pass");
        assert_eq!(verdict_of(&lax, &of("evil/actions/checkout")), "fail");
        assert!(lax.weaker_than(&ForeignPartsPinned::default()).is_some());
        assert!(ForeignPartsPinned::default().weaker_than(&lax).is_none());
    }
}
