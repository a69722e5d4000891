//! Foreign parts of a definition: includes, images, steps. Knows which
//! references nobody can move; does not fetch any of them.

use serde::Deserialize;

use super::super::super::super::yaml::Node;
use crate::facts::{ForeignPart, PartKind};

/// One entry of `includes` in GitLab's reading, of every level.
#[derive(Debug, Deserialize)]
pub(super) struct LintInclude {
    #[serde(rename = "type")]
    kind: Option<String>,
    location: Option<String>,
    extra: Option<serde_json::Value>,
}

/// The parts that `include:` names.
pub(super) fn includes(include: &Node, repository: &str) -> Vec<ForeignPart> {
    let mut parts = Vec::new();
    for item in include.items() {
        if let Some(text) = item.text() {
            if !text.is_empty() {
                parts.push(by_location(text));
            }
            continue;
        }
        let text = |key: &str| item.get(key).and_then(Node::text);
        if let Some(project) = text("project") {
            parts.push(of_project(project, text("ref"), repository));
        } else if let Some(address) = text("remote") {
            let mut part = by_location(address);
            part.pinned |= item
                .get("integrity")
                .and_then(Node::text)
                .is_some_and(|digest| digest.starts_with("sha256-"));
            parts.push(part);
        } else if let Some(name) = text("template") {
            parts.push(template(name));
        } else if let Some(component) = text("component") {
            parts.push(of_component(component, repository));
        } else if let Some(path) = text("local") {
            parts.push(local(path));
        } else {
            // A kind that this version does not know: foreign and not pinned.
            let name = item.entries().first().map_or("?", |(key, _)| key);
            parts.push(include_part(name, None, false, false));
        }
    }
    parts
}

/// Adds what included files include in turn. What the file itself names is
/// there already, with more detail.
pub(super) fn add_included(
    parts: &mut Vec<ForeignPart>,
    includes: &[LintInclude],
    repository: &str,
) {
    for include in includes {
        let location = include.location.as_deref().unwrap_or("?");
        let extra = |key: &str| {
            include
                .extra
                .as_ref()
                .and_then(|extra| extra.get(key))
                .and_then(serde_json::Value::as_str)
        };
        let part = match include.kind.as_deref() {
            // It lies beside the file that includes it, which is a part itself.
            Some("local") => continue,
            Some("template") => template(location),
            Some("remote") => by_location(location),
            Some("component") => of_component(location, repository),
            Some("file") => match extra("project") {
                Some(project) => of_project(project, extra("ref"), repository),
                None => include_part(location, None, false, false),
            },
            Some(_) | None => include_part(location, None, false, false),
        };
        let known = parts.iter().any(|seen| {
            seen.kind == part.kind
                && seen.name == part.name
                && (part.reference.is_none() || seen.reference == part.reference)
        });
        if !known {
            parts.push(part);
        }
    }
}

/// The image that `image:` or an entry of `services:` names.
pub(super) fn image(node: &Node) -> Option<ForeignPart> {
    let text = match node {
        Node::Map(_) => node.get("name").and_then(Node::text),
        Node::Scalar { .. } | Node::List(_) | Node::Tagged(..) => node.text(),
    };
    let text = text.map(str::trim).filter(|text| !text.is_empty())?;
    let (name, reference, pinned) = match text.split_once('@') {
        Some((name, digest)) => {
            let pinned = digest
                .strip_prefix("sha256:")
                .is_some_and(|hex| is_hex(hex, 64));
            (untagged(name).0, Some(digest), pinned)
        }
        None => {
            let (name, tag) = untagged(text);
            (name, tag, false)
        }
    };
    Some(ForeignPart {
        kind: PartKind::Image,
        name: name.to_owned(),
        reference: reference.map(str::to_owned),
        pinned,
        // The registry of this very project.
        own: name.starts_with("$CI_REGISTRY_IMAGE") || name.starts_with("${CI_REGISTRY_IMAGE}"),
    })
}

/// The step that an entry of `run:` names.
pub(super) fn step(node: &Node, repository: &str) -> Option<ForeignPart> {
    let step = node.get("step")?;
    let Some(text) = step.text() else {
        // Written out as repository and revision.
        return Some(ForeignPart {
            kind: PartKind::Action,
            name: "step".to_owned(),
            reference: None,
            pinned: false,
            own: false,
        });
    };
    if text.starts_with('.') {
        return None;
    }
    let mut part = of_component(text, repository);
    part.kind = PartKind::Action;
    Some(part)
}

fn local(path: &str) -> ForeignPart {
    include_part(path, None, false, true)
}

fn template(name: &str) -> ForeignPart {
    // It comes with the server, and changes with it only.
    include_part(name, None, false, true)
}

fn by_location(text: &str) -> ForeignPart {
    if text.starts_with("http://") || text.starts_with("https://") {
        let revision = text
            .split(['/', '?', '=', '&'])
            .find(|part| is_commit(part));
        include_part(text, revision, revision.is_some(), false)
    } else {
        local(text)
    }
}

fn of_project(project: &str, reference: Option<&str>, repository: &str) -> ForeignPart {
    include_part(
        project,
        reference,
        reference.is_some_and(is_commit),
        project.eq_ignore_ascii_case(repository),
    )
}

/// `host/group/project/name@version`.
fn of_component(text: &str, repository: &str) -> ForeignPart {
    let (name, version) = match text.rsplit_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let own = name
        .split_once('/')
        .and_then(|(_, path)| path.rsplit_once('/'))
        .is_some_and(|(project, _)| project.eq_ignore_ascii_case(repository));
    include_part(name, version, version.is_some_and(is_commit), own)
}

fn include_part(name: &str, reference: Option<&str>, pinned: bool, own: bool) -> ForeignPart {
    ForeignPart {
        kind: PartKind::Include,
        name: name.to_owned(),
        reference: reference.map(str::to_owned),
        pinned,
        own,
    }
}

/// The name without the tag. A colon before the last slash belongs to a port.
fn untagged(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        Some(_) | None => (text, None),
    }
}

fn is_commit(text: &str) -> bool {
    is_hex(text, 40) || is_hex(text, 64)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
