//! What a job brings in from elsewhere: actions, workflows of other places, and
//! images. What those bring in themselves is not looked into.

use crate::facts::{ForeignPart, PartKind};
use crate::platform::yaml::Node;

use super::Home;

/// The parts of one job; an error says what cannot be read.
pub(super) fn of_job(job: &Node, home: &Home<'_>) -> Result<Vec<ForeignPart>, String> {
    let mut parts = Vec::new();
    if let Some(uses) = job.get("uses") {
        parts.push(used(text(uses)?, PartKind::Include, home));
    }
    for node in job.get("container").into_iter().chain(services(job)) {
        if let Some(name) = node.get("image").unwrap_or(node).text()
            && !name.is_empty()
        {
            parts.push(image(name, home));
        }
    }
    match job.get("steps") {
        Some(Node::List(steps)) => {
            for step in steps {
                if !matches!(step, Node::Map(_)) {
                    return Err("a step is no mapping".to_owned());
                }
                if let Some(uses) = step.get("uses") {
                    parts.push(used(text(uses)?, PartKind::Action, home));
                }
            }
        }
        Some(Node::Scalar { .. } | Node::Map(_) | Node::Tagged(..)) => {
            return Err("`steps` is no list".to_owned());
        }
        None => {}
    }
    Ok(parts)
}

fn services(job: &Node) -> impl Iterator<Item = &Node> {
    job.get("services")
        .into_iter()
        .flat_map(Node::entries)
        .map(|(_, service)| service)
}

fn text(node: &Node) -> Result<&str, String> {
    node.text().ok_or_else(|| "`uses` is no text".to_owned())
}

fn used(uses: &str, kind: PartKind, home: &Home<'_>) -> ForeignPart {
    if let Some(name) = uses.strip_prefix("docker://") {
        return image(name, home);
    }
    if uses.starts_with("./") {
        // It stands in the same commit.
        return ForeignPart {
            kind,
            name: uses.to_owned(),
            reference: None,
            pinned: false,
            own: true,
        };
    }
    let (name, reference) = match uses.split_once('@') {
        Some((name, reference)) => (name, Some(reference.to_owned())),
        None => (uses, None),
    };
    ForeignPart {
        kind,
        name: name.to_owned(),
        pinned: reference.as_deref().is_some_and(is_commit),
        reference,
        own: name
            .split('/')
            .next()
            .is_some_and(|owner| owner.eq_ignore_ascii_case(home.owner)),
    }
}

fn image(text: &str, home: &Home<'_>) -> ForeignPart {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    // A colon behind the last slash stands before a tag, any other before a port.
    let tag_at = name
        .rfind(':')
        .filter(|colon| name.rfind('/').is_none_or(|slash| slash < *colon));
    let (name, tag) = match tag_at.and_then(|colon| name.split_at_checked(colon)) {
        Some((name, tag)) if !text.contains("${{") => (name, tag.strip_prefix(':')),
        _ => (name, None),
    };
    let own = format!("ghcr.io/{}/", home.owner).to_ascii_lowercase();
    ForeignPart {
        kind: PartKind::Image,
        name: name.to_owned(),
        reference: digest.or(tag).map(str::to_owned),
        pinned: digest
            .and_then(|digest| digest.strip_prefix("sha256:"))
            .is_some_and(|hash| is_hex(hash, 64)),
        own: name.to_ascii_lowercase().starts_with(&own),
    }
}

fn is_commit(reference: &str) -> bool {
    is_hex(reference, 40) || is_hex(reference, 64)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::yaml;

    const HOME: Home<'static> = Home {
        owner: "Acme",
        target: "main",
    };

    fn read(text: &str) -> Result<Vec<ForeignPart>, String> {
        of_job(&yaml::documents(text).unwrap().remove(0), &HOME)
    }

    fn one(text: &str) -> ForeignPart {
        read(text).unwrap().remove(0)
    }

    fn step(uses: &str) -> ForeignPart {
        one(&format!("steps: [{{uses: '{uses}'}}]"))
    }

    #[test]
    fn only_a_whole_digest_pins() {
        let commit = "b4ffde65f46336ab88eb53be808477a3936bae11";
        assert!(step(&format!("actions/checkout@{commit}")).pinned);
        assert!(!step(&format!("actions/checkout@{}", &commit[..7])).pinned);
        assert!(!step("actions/checkout@v4").pinned);
        assert!(!step("actions/checkout").pinned);
        let digest = "a".repeat(64);
        assert!(step(&format!("docker://alpine@sha256:{digest}")).pinned);
        assert!(!step("docker://alpine@sha256:abc").pinned);
        assert!(!step("docker://alpine:3.20").pinned);
    }

    #[test]
    fn ones_own_parts_are_told_from_foreign_ones() {
        assert!(step("./.github/actions/x").own);
        assert!(step("acme/lint@v1").own);
        assert!(!step("acme-evil/lint@v1").own);
        assert!(step("docker://ghcr.io/acme/x:1").own);
        assert!(!step("docker://ghcr.io/other/x:1").own);
        let called = one("uses: acme/ci/.github/workflows/a.yml@main");
        assert_eq!(called.kind, PartKind::Include);
        assert_eq!(called.name, "acme/ci/.github/workflows/a.yml");
    }

    #[test]
    fn images_are_read_wherever_they_stand() {
        let seen = read("container: node:22\nservices: {db: {image: 'registry.example:5000/pg'}, q: {image: 'redis:7'}}")
            .unwrap();
        let names: Vec<(&str, Option<&str>)> = seen
            .iter()
            .map(|part| (part.name.as_str(), part.reference.as_deref()))
            .collect();
        assert_eq!(
            names,
            [
                ("node", Some("22")),
                ("registry.example:5000/pg", None),
                ("redis", Some("7"))
            ]
        );
        let computed = one("container: {image: '${{ matrix.image }}'}");
        assert!(!computed.pinned && computed.reference.is_none());
    }

    #[test]
    fn a_step_that_cannot_be_read_is_an_error_and_not_left_out() {
        assert!(read("steps: [text]").is_err());
        assert!(read("steps: {uses: x}").is_err());
        assert!(read("steps: [{uses: [x]}]").is_err());
    }
}
