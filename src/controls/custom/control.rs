//! A control of an organisation's own, bound: what the policy says about it, and
//! its judgement.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};

use crate::controls::control::{Bound, Evidence, Failure, Meta, Observation, Scope, Verdict};
use crate::criteria::Criterion;
use crate::facts::{FactKey, Platform, Snapshot, Unknown, Why};

use super::evaluation::{Budget, Looked, Stop, answer};
use super::expression::Expression;
use super::given::Given;
use super::names::{Facts, Name};
use super::value::trimmed;

/// What the code of every such control begins with. No built-in code does.
pub const CODE_PREFIX: &str = "CUS-";

/// What a policy says about one control of its own.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Its id, in kebab case.
    pub id: String,
    /// The sentence that is true when all is well.
    pub title: String,
    /// The criteria it serves, the primary one first.
    pub criteria: Vec<Criterion>,
    /// Where it has a meaning; `None`: everywhere.
    pub when: Option<Expression>,
    /// What has to be true.
    pub assert: Expression,
    /// The next step if it is not.
    pub next: Option<String>,
}

/// An own control.
#[derive(Clone, Debug)]
pub struct CustomControl {
    meta: &'static Meta,
    declaration: Arc<Declaration>,
}

/// What an own control comes to: the judgement, or why there is none.
pub type Outcome = Result<Verdict, Unknown>;

impl CustomControl {
    /// The control that was declared.
    pub fn new(declaration: Declaration) -> Self {
        Self {
            meta: meta(&declaration),
            declaration: Arc::new(declaration),
        }
    }

    /// What the policy says about it.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// What is said about it, in the form of every control.
    pub fn meta(&self) -> &'static Meta {
        self.meta
    }

    /// What is legal in it and seldom meant.
    pub fn remarks(&self) -> Vec<String> {
        super::remarks::remarks(&self.declaration)
    }

    /// Judges values that a test of a policy gives.
    ///
    /// # Errors
    /// The reason why a value that decides is not there.
    pub fn judge_given(&self, given: &BTreeMap<&'static str, Given>) -> Outcome {
        self.weigh(&Facts::Given(given))
    }

    fn weigh(&self, facts: &Facts<'_>) -> Outcome {
        let declaration = &self.declaration;
        let mut budget = Budget::new();
        let mut looked = Looked::new();
        if let Some(when) = &declaration.when {
            let applies = answer(when, facts, &mut budget, &mut looked)
                .map_err(|stop| self.unknown("when", stop))?;
            if !applies {
                let summary = format!("does not apply: {} is not so", trimmed(when.text()));
                return Ok(Verdict::NotApplicable(self.evidence(summary, looked)));
            }
        }
        let holds = answer(&declaration.assert, facts, &mut budget, &mut looked)
            .map_err(|stop| self.unknown("assert", stop))?;
        let asked = trimmed(declaration.assert.text());
        Ok(if holds {
            Verdict::Pass(self.evidence(format!("{asked} is so"), looked))
        } else {
            Verdict::Fail(Failure {
                evidence: self.evidence(format!("{asked} is not so"), looked),
                reason: None,
                next: declaration.next.clone(),
                awaiting: None,
            })
        })
    }

    fn unknown(&self, part: &str, stop: Stop) -> Unknown {
        match stop {
            Stop::Unseen(unknown) => unknown,
            Stop::Wrong(why) => Unknown::new(
                format!("custom.{}", self.declaration.id),
                Why::NotComputable,
                format!("`{part}` cannot be worked out: {why}"),
            ),
        }
    }

    fn evidence(&self, summary: String, looked: Looked) -> Evidence {
        let mut observed = looked
            .into_iter()
            .map(|(path, (value, sources))| Observation {
                fact: path.to_owned(),
                value: value.shown(),
                sources,
            });
        let first = observed.next().unwrap_or_else(|| Observation {
            fact: format!("custom.{}", self.declaration.id),
            value: "no fact was needed".to_owned(),
            sources: Vec::new(),
        });
        Evidence::observing(summary, first, observed)
    }
}

impl Bound for CustomControl {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn judge(&self, shown: &Snapshot) -> Outcome {
        self.weigh(&Facts::Seen(shown))
    }

    fn parameters(&self) -> Json {
        let declaration = &self.declaration;
        let criteria: Vec<&str> = declaration.criteria.iter().map(|one| one.id()).collect();
        json!({
            "criteria": criteria,
            "when": declaration.when.as_ref().map(Expression::text),
            "assert": declaration.assert.text(),
            "next": declaration.next,
            "title": declaration.title,
        })
    }

    fn weaker_than(&self, base: &Json) -> Option<String> {
        // Which of two expressions asks for more cannot be told; only the same one does.
        (self.parameters() != *base)
            .then(|| "it is not the same control, and only that is as strict".to_owned())
    }

    fn as_custom(&self) -> Option<&CustomControl> {
        Some(self)
    }
}

/// What is said about a declared control. It lives as long as the program does, as
/// every control's does, and the same declaration is kept once: a program loads
/// one or two policies, and a policy holds a bounded number of own controls.
fn meta(declaration: &Declaration) -> &'static Meta {
    static KEPT: Mutex<Vec<&'static Meta>> = Mutex::new(Vec::new());
    let code = format!("{CODE_PREFIX}{}", declaration.id);
    let needs: Vec<FactKey> = names(declaration)
        .flat_map(|name| name.keys.iter().copied())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    let about_change = names(declaration).any(|name| name.path.starts_with("change."));
    let rationale = format!(
        "The policy asks for it: {}{}",
        declaration.assert.text(),
        declaration
            .when
            .as_ref()
            .map(|when| format!(", where {}", when.text()))
            .unwrap_or_default(),
    );
    let remedy = declaration.next.clone().unwrap_or_else(|| {
        format!(
            "make it so that {} holds",
            trimmed(declaration.assert.text())
        )
    });
    let cheat = "Changing the expression. It is read from the policy at the target branch, and a \
                 branch cannot alter or leave out what the default branch's policy asks for.";
    let scope = if about_change {
        Scope::Change
    } else {
        Scope::Repository
    };
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let same = kept.iter().find(|meta| {
        meta.code == code
            && meta.title == declaration.title
            && meta.criteria == declaration.criteria
            && meta.needs == needs
            && meta.scope == scope
            && meta.rationale == rationale
            && meta.remedy_github == remedy
    });
    if let Some(meta) = same {
        return meta;
    }
    let remedy: &'static str = remedy.leak();
    let meta: &'static Meta = Box::leak(Box::new(Meta {
        code: code.leak(),
        id: declaration.id.clone().leak(),
        title: declaration.title.clone().leak(),
        criteria: declaration.criteria.clone().leak(),
        frameworks: &[],
        scope,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: needs.leak(),
        rationale: rationale.leak(),
        cheat,
        remedy_github: remedy,
        remedy_gitlab: remedy,
    }));
    kept.push(meta);
    meta
}

fn names(declaration: &Declaration) -> impl Iterator<Item = &'static Name> {
    let when = declaration.when.iter().flat_map(Expression::names);
    when.chain(declaration.assert.names()).copied()
}
