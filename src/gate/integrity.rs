//! How hard the gate itself is to cheat, as a level from G0 to G4. Only what is
//! proven counts: an unknown never raises the level, it is listed beside it. What
//! the gate decides does not rest on this; PIPE-12 is the control about it.

use crate::controls::guarding::{
    Conditions, Demanded, Owning, PIPELINES, POLICY, Runs, imposed, is_from_above,
    is_never_started_from_change, is_started_from_base, lies_elsewhere, requires,
};
use crate::facts::{
    BranchRules, Fact, PipelineDefinition, Platform, RequiredCheck, Requirement, Snapshot, Unknown,
    Why, all_of, any_of,
};

/// How hard the gate is to cheat. Each level has what the ones below it have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntegrityLevel {
    /// Not required: everybody who can push gets around it.
    G0,
    /// Required, and what makes it has owners.
    G1,
    /// Run from where the change cannot edit it.
    G2,
    /// Answering under an identity that nobody in the repository has.
    G3,
    /// Imposed from above, with no way around it.
    G4,
}

impl IntegrityLevel {
    /// The word, as it stands in decisions and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::G0 => "G0",
            Self::G1 => "G1",
            Self::G2 => "G2",
            Self::G3 => "G3",
            Self::G4 => "G4",
        }
    }
}

/// The level with what stands between it and the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integrity {
    /// The highest level that is proven.
    pub level: IntegrityLevel,
    /// One step up, in words; `None` at the top.
    pub next: Option<String>,
    /// What kept a higher level from being proven. Empty: it is known not to be reached.
    pub unknown: Vec<Unknown>,
}

/// The level of the gate that reports as `gate_check`, from facts alone.
pub fn integrity(facts: &Snapshot, gate_check: &str) -> Integrity {
    let seen = Seen::of(facts, gate_check);
    let (owned, base, identity) = match facts.subject.platform {
        Platform::Github => (seen.owned_on_github(), seen.base_run(), seen.own_app(facts)),
        Platform::Gitlab => (seen.owned_on_gitlab(), seen.elsewhere(), seen.own_status()),
    };
    let ladder = [
        (IntegrityLevel::G1, owned),
        (IntegrityLevel::G2, vec![base]),
        (IntegrityLevel::G3, vec![identity]),
        (IntegrityLevel::G4, seen.imposed_from_above()),
    ];
    let mut found = Integrity {
        level: IntegrityLevel::G0,
        next: None,
        unknown: Vec::new(),
    };
    for (level, steps) in ladder {
        let missing = steps.iter().find(|step| step.done.known() == Ok(&false));
        let hidden: Vec<Unknown> = steps
            .iter()
            .filter_map(|step| step.done.known().err())
            .collect();
        if missing.is_none() && hidden.is_empty() && found.next.is_none() {
            found.level = level;
            continue;
        }
        if found.next.is_none() {
            found.next = missing
                .map(|step| step.what.clone())
                .or_else(|| hidden.first().map(sight));
        }
        if missing.is_some() {
            break;
        }
        for unknown in hidden {
            if !found.unknown.contains(&unknown) {
                found.unknown.push(unknown);
            }
        }
    }
    found
}

/// What has to be seen before anything else can be said.
fn sight(unknown: &Unknown) -> String {
    match &unknown.needs {
        Some(permission) => format!("grant `{permission}`, so that {} can be read", unknown.fact),
        None => format!("let the gate see {}: {}", unknown.fact, unknown.detail),
    }
}

/// One thing that a level asks for, and how to get there.
struct Step {
    done: Fact<bool>,
    what: String,
}

fn step(done: Fact<bool>, what: impl Into<String>) -> Step {
    Step {
        done,
        what: what.into(),
    }
}

/// The facts that decide, drawn together.
struct Seen<'a> {
    check: &'a str,
    own: &'a str,
    facts: &'a Snapshot,
    demanded: Demanded,
    runs: Result<Runs<'a>, Unknown>,
    /// Whether the definition lies where the change cannot reach it.
    elsewhere: Fact<bool>,
    owning: Result<Owning<'a>, Unknown>,
}

impl<'a> Seen<'a> {
    fn of(facts: &'a Snapshot, check: &'a str) -> Self {
        let own = facts.subject.repository.as_str();
        let definition = &facts.settings.definition;
        Self {
            check,
            own,
            facts,
            demanded: Demanded::of(&facts.branch_rules, check, own),
            runs: definition
                .known()
                .map(|definition| Runs::of(definition, check)),
            elsewhere: definition.map_ref(|definition| lies_elsewhere(definition, own)),
            owning: facts.settings.code_owners.known().map(Owning::of),
        }
    }

    fn imposed(&self) -> Fact<bool> {
        self.demanded.imposed.clone()
    }

    /// A look at the rules of the branch.
    fn rules(&self, look: impl FnOnce(&BranchRules) -> Fact<bool>) -> Fact<bool> {
        match &self.facts.branch_rules {
            Fact::Known { value, .. } => look(value),
            Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        }
    }

    fn switched_on(&self, pick: impl FnOnce(&BranchRules) -> &Requirement<bool>) -> Fact<bool> {
        self.rules(|rules| pick(rules).holds(|on| *on))
    }

    /// A look at what runs the gate.
    fn runs(&self, look: impl FnOnce(&Runs<'a>) -> Fact<bool>) -> Fact<bool> {
        match &self.runs {
            Ok(runs) => look(runs),
            Err(unknown) => Fact::Unknown(unknown.clone()),
        }
    }

    fn required(&self, test: impl Fn(&RequiredCheck) -> bool) -> Fact<bool> {
        self.rules(|rules| requires(rules, |_, check| check.name == self.check && test(check)))
    }

    fn is_owned(&self, path: &str) -> Fact<bool> {
        match &self.owning {
            Ok(owning) => owning.is_owned(path),
            Err(unknown) => Fact::Unknown(unknown.clone()),
        }
    }

    /// G1 where a check is required by name: the folder of definitions, the policy
    /// and the file of code owners are owned.
    fn owned_on_github(&self) -> Vec<Step> {
        let definition = &self.facts.settings.definition;
        let definitions = match definition {
            Fact::Known { value, .. } => all_of(
                definition_paths(value)
                    .iter()
                    .map(|path| self.is_owned(path)),
            ),
            Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        };
        let owners_file = match &self.facts.settings.code_owners {
            Fact::Known { value, .. } => match &value.file {
                Some(file) => self.is_owned(&file.path),
                None => Fact::known_without_source(false),
            },
            Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        };
        vec![
            step(
                any_of([self.demanded.by_name.clone(), self.imposed()]),
                format!("require the check `{}` before a merge", self.check),
            ),
            step(
                any_of([self.counts(), self.imposed()]),
                self.words_of_counting(),
            ),
            step(
                self.switched_on(|rules| &rules.code_owner_review_required),
                "require review from code owners",
            ),
            step(
                any_of([definitions, self.imposed()]),
                "give the definitions of pipelines code owners who can act",
            ),
            step(
                self.is_owned(POLICY),
                format!("give {POLICY} code owners who can act"),
            ),
            step(
                owners_file,
                "give the file of code owners itself code owners who can act",
            ),
        ]
    }

    /// G1 where the pipeline has to succeed as a whole: the definition is owned, or
    /// the change cannot reach it.
    fn owned_on_gitlab(&self) -> Vec<Step> {
        let owned = self.runs(|runs| all_of(runs.jobs.iter().map(|at| self.is_owned(at.path))));
        let reviewed = self.switched_on(|rules| &rules.code_owner_review_required);
        vec![
            step(
                any_of([
                    self.demanded.in_pipeline.clone(),
                    self.demanded.by_name.clone(),
                    self.imposed(),
                ]),
                "let a merge wait for a pipeline that succeeded",
            ),
            step(
                any_of([
                    self.switched_on(|rules| &rules.skipped_checks_block),
                    self.imposed(),
                ]),
                "do not let a skipped pipeline count as success",
            ),
            step(
                any_of([
                    self.runs(Runs::exist),
                    self.required(|check| check.app.is_some()),
                    self.imposed(),
                ]),
                format!("let a job `{}` of the pipeline run the gate", self.check),
            ),
            step(
                any_of([self.counts(), self.imposed()]),
                self.words_of_counting(),
            ),
            step(
                any_of([
                    self.elsewhere.clone(),
                    all_of([owned, reviewed]),
                    self.imposed(),
                ]),
                "give the pipeline's definition code owners whose approval is required",
            ),
        ]
    }

    /// Whether no job of the gate may fail or be skipped without holding anything back.
    fn counts(&self) -> Fact<bool> {
        let accepted = Conditions::default();
        self.runs(|runs| runs.none_is(|at| at.gives_way(&accepted).is_some()))
    }

    fn words_of_counting(&self) -> String {
        format!(
            "let every result of the job `{}` count: no condition, no failure that is allowed",
            self.check
        )
    }

    /// G2 where events choose between the change's definition and the base branch's.
    fn base_run(&self) -> Step {
        let by_job = self.runs(|runs| {
            let from_base = runs.none_is(|at| {
                let triggers = &at.definition.triggers;
                !is_started_from_base(triggers) || !is_never_started_from_change(triggers)
            });
            all_of([runs.exist(), from_base])
        });
        let service = all_of([self.no_job(), self.pinned_elsewhere()]);
        step(
            any_of([by_job, service, self.imposed()]),
            "run the gate only on events that take its definition from the base branch, e.g. \
             `pull_request_target`",
        )
    }

    /// Whether no job reports the check: a service that does takes nothing from the change.
    fn no_job(&self) -> Fact<bool> {
        self.runs(|runs| runs.exist().map(|exists| !exists))
    }

    /// G2 where the definition always comes from the change, unless it lies elsewhere.
    fn elsewhere(&self) -> Step {
        let service = all_of([self.no_job(), self.required(|check| check.app.is_some())]);
        step(
            any_of([self.elsewhere.clone(), service, self.imposed()]),
            "take the pipeline's definition from another project",
        )
    }

    /// G3: the check is pinned to an app that is not the one of all pipelines.
    fn own_app(&self, facts: &Snapshot) -> Step {
        let pinned = self.pinned_elsewhere();
        // Only on the vendor's cloud is the id of that app known.
        let cloud = match &facts.settings.server {
            Fact::Known { value, .. } if value.version.is_none() => {
                Fact::known_without_source(true)
            }
            Fact::Known { .. } => Fact::Unknown(Unknown::new(
                "server",
                Why::NotSupported,
                "on an own server it is not known which app reports for all pipelines",
            )),
            Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        };
        step(
            any_of([self.imposed(), all_of([pinned, cloud])]),
            format!(
                "let an app of its own report `{}` and pin the check to it",
                self.check
            ),
        )
    }

    fn pinned_elsewhere(&self) -> Fact<bool> {
        self.required(|check| check.app.as_ref().is_some_and(|app| app != PIPELINES))
    }

    /// G3: something outside of the project answers.
    fn own_status(&self) -> Step {
        step(
            any_of([self.required(|check| check.app.is_some()), self.imposed()]),
            "let an external status check from outside the project answer for the gate",
        )
    }

    /// G4: imposed from above, and nobody can go around any layer.
    fn imposed_from_above(&self) -> Vec<Step> {
        let above = self.rules(|rules| {
            imposed(rules, self.check, self.own, |layer| {
                is_from_above(rules, layer)
            })
        });
        let no_bypass = self.rules(|rules| {
            let each = rules
                .layers
                .iter()
                .map(|layer| layer.bypass.map_ref(Vec::is_empty));
            let some = Fact::known_without_source(!rules.layers.is_empty());
            all_of(each.chain([some]))
        });
        vec![
            step(
                above,
                format!(
                    "impose a workflow or policy named after `{}` from above the repository",
                    self.check
                ),
            ),
            step(no_bypass, "empty the bypass lists of every layer"),
        ]
    }
}

/// The definitions, and in each of their folders a file that somebody could add:
/// it would run with the same rights.
fn definition_paths(definition: &PipelineDefinition) -> Vec<String> {
    let mut paths: Vec<String> = definition
        .files
        .iter()
        .map(|file| file.path.clone())
        .collect();
    let added: Vec<String> = paths
        .iter()
        .filter_map(|path| path.rsplit_once('/'))
        .map(|(folder, _)| format!("{folder}/added-later.yml"))
        .collect();
    paths.extend(added);
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests;
