//! One job of a workflow: under which names it reports, what its token may do,
//! whether its failure counts, what it runs and where.

use crate::facts::{PipelineJob, TokenRights};
use crate::platform::yaml::Node;

use super::super::pipeline::rights;
use super::expressions::{self, Secrets};
use super::matrix;

/// Longest piece of a command that is kept.
const LONGEST: usize = 200;

/// Rights as they are written.
pub(super) enum Rights {
    /// One word for all of them.
    All(String),
    /// Each by itself.
    Each(Vec<(String, String)>),
}

impl Rights {
    pub(super) fn of(node: &Node) -> Self {
        match node {
            Node::Map(entries) => Self::Each(
                entries
                    .iter()
                    .map(|(name, level)| (name.clone(), level.text().unwrap_or("?").to_owned()))
                    .collect(),
            ),
            Node::Scalar { text, .. } => Self::All(text.clone()),
            Node::List(_) | Node::Tagged(..) => Self::All("?".to_owned()),
        }
    }

    /// The strongest of them. An identity token changes nothing on the platform
    /// itself, so it stands apart.
    pub(super) fn token(&self) -> TokenRights {
        match self {
            Self::All(word) => rights(word.strip_suffix("-all").unwrap_or(word)),
            Self::Each(each) => each
                .iter()
                .filter(|(name, level)| name != "id-token" || level != "write")
                .map(|(_, level)| rights(level))
                .max()
                .unwrap_or(TokenRights::None),
        }
    }

    fn written(&self) -> Vec<String> {
        match self {
            Self::All(word) => vec![format!(
                "all: {}",
                word.strip_suffix("-all").unwrap_or(word)
            )],
            Self::Each(each) => each
                .iter()
                .map(|(name, level)| format!("{name}: {level}"))
                .collect(),
        }
    }

    fn identity_token(&self) -> bool {
        match self {
            Self::All(word) => word == "write-all",
            Self::Each(each) => each
                .iter()
                .any(|(name, level)| name == "id-token" && level == "write"),
        }
    }
}

/// Reads a job. `above` is what the workflow says for all of them.
pub(super) fn job(id: &str, node: &Node, above: Option<&Rights>, secrets: &Secrets) -> PipelineJob {
    let own = node.get("permissions").map(Rights::of);
    let rights = own.as_ref().or(above);
    let called = node.get("uses").and_then(Node::text);
    let mut handed = secrets.clone();
    handed.take(node);
    if node.get("secrets").and_then(Node::text) == Some("inherit") {
        handed.take_all();
    }
    PipelineJob {
        id: id.to_owned(),
        reported_as: match called {
            // The names of a called workflow's jobs stand there, not here.
            Some(_) => Vec::new(),
            None => matrix::names(id, node),
        },
        token: rights.map(Rights::token),
        rights: rights.map(Rights::written).unwrap_or_default(),
        identity_token: rights.is_some_and(Rights::identity_token),
        soft_fail: soft_fail(node),
        condition: node.get("if").and_then(condition),
        does: match called {
            Some(called) => vec![short(called)],
            None => does(node),
        },
        environment: node.get("environment").and_then(|environment| {
            let name = environment.get("name").unwrap_or(environment);
            name.text().map(str::to_owned)
        }),
        self_hosted: node.get("runs-on").and_then(self_hosted),
        secrets: handed.names(),
    }
}

fn steps(node: &Node) -> &[Node] {
    match node.get("steps") {
        Some(Node::List(steps)) => steps,
        Some(Node::Scalar { .. } | Node::Map(_) | Node::Tagged(..)) | None => &[],
    }
}

/// Whether a step only brings the code.
fn checks_out(step: &Node) -> bool {
    step.get("uses")
        .and_then(Node::text)
        .and_then(|uses| uses.split('@').next())
        .is_some_and(|name| name.eq_ignore_ascii_case("actions/checkout"))
}

fn does(node: &Node) -> Vec<String> {
    steps(node)
        .iter()
        .filter(|step| !checks_out(step))
        .filter_map(|step| {
            let text = step.get("uses").or_else(|| step.get("run"))?.text()?;
            let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
            Some(short(line))
        })
        .collect()
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// Anything but a plain `false` may let a failure pass.
fn goes_on(node: &Node) -> Option<&str> {
    let text = node.get("continue-on-error")?.text().unwrap_or("?");
    (text != "false").then_some(text)
}

fn soft_fail(node: &Node) -> Option<String> {
    if let Some(text) = goes_on(node) {
        return Some(format!("continue-on-error: {}", short(text)));
    }
    let mut working = steps(node)
        .iter()
        .filter(|step| !checks_out(step))
        .peekable();
    (working.peek().is_some() && working.all(|step| goes_on(step).is_some()))
        .then(|| "continue-on-error in every step".to_owned())
}

fn condition(node: &Node) -> Option<String> {
    let text = node.text().unwrap_or("?");
    let bare = expressions::bare(text);
    let compact: String = bare.chars().filter(|c| !c.is_whitespace()).collect();
    (!matches!(compact.as_str(), "always()" | "true" | "!cancelled()" | "")).then(|| short(bare))
}

/// `Some(false)` only for labels that the platform gives its own machines: any
/// other label may be somebody's machine.
fn self_hosted(node: &Node) -> Option<bool> {
    let labels = node.get("labels").unwrap_or(node);
    let grouped = matches!(node, Node::Map(_)) && node.get("group").is_some();
    let mut all_of_the_platform = !grouped;
    let mut any = false;
    for label in labels.items() {
        let label = label.text().unwrap_or("?").to_ascii_lowercase();
        if label == "self-hosted" {
            return Some(true);
        }
        any = true;
        let of_the_platform = ["ubuntu-", "windows-", "macos-"]
            .iter()
            .any(|prefix| label.starts_with(prefix));
        all_of_the_platform &= of_the_platform && !label.contains("${{");
    }
    (any && all_of_the_platform).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::yaml;

    fn node(text: &str) -> Node {
        yaml::documents(text).unwrap().remove(0)
    }

    fn read(text: &str) -> PipelineJob {
        job("build", &node(text), None, &Secrets::default())
    }

    #[test]
    fn rights_of_the_job_stand_before_those_of_the_workflow() {
        let above = Rights::of(&node("write-all"));
        let own = job(
            "a",
            &node("permissions: {contents: read}"),
            Some(&above),
            &Secrets::default(),
        );
        assert_eq!(own.token, Some(TokenRights::Read));
        assert_eq!(own.rights, ["contents: read"]);
        let inherited = job("a", &node("steps: []"), Some(&above), &Secrets::default());
        assert_eq!(inherited.token, Some(TokenRights::Write));
        assert!(inherited.identity_token);
        assert_eq!(read("steps: []").token, None);
    }

    #[test]
    fn rights_are_as_strong_as_the_strongest_and_an_odd_one_is_strong() {
        let token = |text: &str| Rights::of(&node(text)).token();
        assert_eq!(token("{}"), TokenRights::None);
        assert_eq!(token("{contents: none}"), TokenRights::None);
        assert_eq!(token("read-all"), TokenRights::Read);
        assert_eq!(
            token("{contents: read, packages: write}"),
            TokenRights::Write
        );
        assert!(token("{contents: everything}").can_write());
        assert!(token("[]").can_write() && token("''").can_write());
        let identity = read("permissions: {id-token: write, contents: read}");
        assert!(identity.identity_token);
        assert_eq!(identity.token, Some(TokenRights::Read));
    }

    #[test]
    fn a_failure_that_does_not_count_is_seen_on_job_and_steps() {
        for (text, soft) in [
            ("continue-on-error: true", true),
            ("continue-on-error: false", false),
            ("continue-on-error: ${{ matrix.experimental }}", true),
            (
                "steps: [{uses: actions/checkout@v4}, {run: make, continue-on-error: true}]",
                true,
            ),
            (
                "steps: [{run: make}, {run: lint, continue-on-error: true}]",
                false,
            ),
            ("steps: [{uses: actions/checkout@v4}]", false),
        ] {
            assert_eq!(read(text).soft_fail.is_some(), soft, "{text}");
        }
    }

    #[test]
    fn a_condition_is_one_unless_it_always_holds() {
        let condition = |text: &str| read(text).condition;
        assert_eq!(condition("if: always()"), None);
        assert_eq!(condition("if: ${{ always() }}"), None);
        assert_eq!(
            condition("if: ${{ github.actor != 'x' }}").as_deref(),
            Some("github.actor != 'x'")
        );
        assert!(condition("if: false").is_some());
    }

    #[test]
    fn f25_a_job_that_only_checks_out_does_nothing() {
        assert!(read("steps: [{uses: actions/checkout@v4}]").does.is_empty());
        assert_eq!(
            read("steps: [{uses: Actions/Checkout@v4}, {run: \"\\n  make test\\nmake x\"}, {uses: acme/lint@v1}]").does,
            ["make test", "acme/lint@v1"]
        );
        assert_eq!(
            read("uses: acme/ci/.github/workflows/a.yml@v1").does.len(),
            1
        );
    }

    #[test]
    fn only_the_platforms_own_labels_are_known_to_be_its_machines() {
        for (runs_on, expected) in [
            ("ubuntu-24.04", Some(false)),
            ("[self-hosted, linux]", Some(true)),
            ("Self-Hosted", Some(true)),
            ("gpu", None),
            ("${{ matrix.os }}", None),
            ("ubuntu-${{ matrix.os }}", None),
            ("{group: big}", None),
            ("{group: big, labels: ubuntu-latest}", None),
            ("{labels: [self-hosted]}", Some(true)),
        ] {
            assert_eq!(
                read(&format!("runs-on: {runs_on}")).self_hosted,
                expected,
                "{runs_on}"
            );
        }
        assert_eq!(read("steps: []").self_hosted, None);
    }

    #[test]
    fn environment_and_secrets_are_read() {
        let seen = read(
            "environment: {name: prod, url: x}\nsteps: [{run: deploy, env: {K: '${{ secrets.DEPLOY_KEY }}'}}]",
        );
        assert_eq!(seen.environment.as_deref(), Some("prod"));
        assert_eq!(seen.secrets, ["DEPLOY_KEY"]);
        assert_eq!(
            read("uses: a/b/.github/workflows/c.yml@v1\nsecrets: inherit").secrets,
            ["inherit"]
        );
        assert_eq!(
            read("environment: stage").environment.as_deref(),
            Some("stage")
        );
    }
}
