//! Two thousand random changes, and for each what really happened: the controls see
//! what a platform tells of it, the oracle sees everything. No control may pass where
//! the oracle says no, whatever was hidden; and where nothing was, they agree.

pub(super) mod oracle;
mod shapes;
pub(super) mod world;

use fastrand::Rng;

use super::approval_covers_head::ApprovalCoversHead;
use super::approvals_sufficient::ApprovalsSufficient;
use super::approver_is_independent::ApproverIsIndependent;
use crate::controls::control::Control;
use crate::controls::testing::verdict_of;
use crate::controls::tree::Worth;
use crate::facts::Snapshot;
use world::{Opinion, World};

/// How many changes.
const CHANGES: u64 = 2_000;
/// How often each is shown with something hidden.
const VEILS: usize = 8;

/// A change, what a platform tells of it, and what a policy asks.
pub(super) struct Case {
    pub(super) seed: u64,
    pub(super) world: World,
    pub(super) facts: Snapshot,
    /// The same with some of it hidden.
    pub(super) veiled: Vec<Snapshot>,
    pub(super) min: u32,
    pub(super) carried: bool,
}

/// The whole population; the same at every run.
pub(super) fn population() -> impl Iterator<Item = Case> {
    (0..CHANGES).map(|seed| {
        let mut rng = Rng::with_seed(seed);
        let world = World::random(&mut rng);
        let facts = shapes::told(&world, &mut rng);
        let veiled = (0..VEILS)
            .map(|_| shapes::veiled(&facts, &mut rng))
            .collect();
        Case {
            seed,
            facts,
            veiled,
            min: rng.u32(0..4),
            carried: rng.bool(),
            world,
        }
    })
}

/// One control's word against the oracle's. `excused` says why the control may be
/// stricter although nothing was hidden.
fn compare(case: &Case, what: &str, whole: &str, veiled: &[String], truth: bool, excused: bool) {
    let seed = case.seed;
    let world = &case.world;
    let told = (whole.starts_with("pass"), whole.starts_with("fail"));
    assert!(!told.0 || truth, "{what} passes, seed {seed}: {world:#?}");
    assert!(
        excused || told == (truth, !truth),
        "{what} is {whole} and the oracle says {truth}, seed {seed}: {world:#?}"
    );
    for word in veiled {
        assert!(
            word != "pass" || truth,
            "{what} passes with something hidden, seed {seed}: {world:#?}"
        );
        assert!(
            excused || !word.starts_with("fail") || !truth,
            "{what} fails with something hidden, seed {seed}: {world:#?}"
        );
        // What is hidden improves nothing.
        assert!(
            word != "pass" || whole == "pass",
            "{what} is better with something hidden, seed {seed}: {world:#?}"
        );
    }
}

/// How often the oracle said yes and no, so that a population of one kind only is noticed.
#[derive(Default)]
struct Tally {
    yes: u32,
    no: u32,
}

impl Tally {
    fn add(&mut self, truth: bool) {
        if truth {
            self.yes += 1;
        } else {
            self.no += 1;
        }
    }

    fn is_mixed(&self) {
        let least = u32::try_from(CHANGES).unwrap_or(u32::MAX) / 10;
        assert!(
            self.yes >= least && self.no >= least,
            "{} times yes, {} times no",
            self.yes,
            self.no
        );
    }
}

fn verdicts(case: &Case, of: impl Fn(&Snapshot) -> String) -> (String, Vec<String>) {
    (of(&case.facts), case.veiled.iter().map(of).collect())
}

#[test]
fn the_number_of_approvals_agrees_with_the_oracle() {
    let mut tally = Tally::default();
    for case in population() {
        let control = ApprovalsSufficient::at_least(case.min);
        let (whole, veiled) = verdicts(&case, |facts| verdict_of(&control, facts));
        let truth = oracle::enough_approved(&case.world, case.min);
        tally.add(truth);
        compare(&case, "CHG-02", &whole, &veiled, truth, false);
    }
    tally.is_mixed();
}

#[test]
fn independence_agrees_with_the_oracle() {
    let mut tally = Tally::default();
    for case in population() {
        let control = ApproverIsIndependent::default();
        let (whole, veiled) = verdicts(&case, |facts| verdict_of(&control, facts));
        let truth = oracle::somebody_independent_approved(&case.world);
        tally.add(truth);
        compare(&case, "CHG-04", &whole, &veiled, truth, false);
    }
    tally.is_mixed();
}

#[test]
fn freshness_agrees_with_the_oracle() {
    let mut tally = Tally::default();
    let mut excuses = 0_u32;
    for case in population() {
        let control = ApprovalCoversHead::new(case.min, case.carried);
        let (whole, veiled) = verdicts(&case, |facts| verdict_of(&control, facts));
        let truth = oracle::head_is_covered(&case.world, case.min, case.carried);
        let excused = oracle::clock_cannot_tell(&case.world, case.carried)
            || !oracle::everybody_is_known(&case.world);
        tally.add(truth);
        excuses += u32::from(excused && (whole == "pass") != truth);
        compare(&case, "CHG-03", &whole, &veiled, truth, excused);
    }
    tally.is_mixed();
    let most = u32::try_from(CHANGES).unwrap_or(u32::MAX) / 10;
    assert!(excuses < most, "stricter than the oracle {excuses} times");
}

/// The names of those whose reviews count according to the tree, and how many have to.
fn counted_in_tree<C: Control>(control: &C, facts: &Snapshot) -> (Vec<String>, usize) {
    let tree = control.tree(&facts.restricted_to(&C::META.visible()));
    let branch = tree.expect("it weighs reviews").branches.remove(0);
    let mut names: Vec<String> = branch
        .rulings
        .iter()
        .flatten()
        .filter(|ruling| matches!(ruling.worth, Worth::Counts(_)))
        .map(|ruling| ruling.who().to_lowercase())
        .collect();
    names.sort();
    (names, branch.needed)
}

/// The verdict counts what the tree says that counts: it passes where that is enough, and
/// only there; and where nothing is hidden, those are the ones that the oracle names.
fn tree_agrees<C: Control>(case: &Case, control: &C, truth: Option<Vec<&Opinion>>) {
    let seed = case.seed;
    for facts in std::iter::once(&case.facts).chain(&case.veiled) {
        let (names, needed) = counted_in_tree(control, facts);
        let passes = verdict_of(control, facts) == "pass";
        assert_eq!(passes, names.len() >= needed, "seed {seed}: {names:?}");
    }
    let Some(truth) = truth else { return };
    let mut wanted: Vec<String> = truth
        .iter()
        .map(|opinion| format!("@{}", world::CAST[opinion.who].0))
        .collect();
    wanted.sort();
    let (names, _) = counted_in_tree(control, &case.facts);
    assert_eq!(names, wanted, "seed {seed}: {:#?}", case.world);
}

#[test]
fn the_tree_counts_exactly_those_that_the_verdict_counts() {
    for case in population() {
        let world = &case.world;
        let standing = oracle::standing(world);
        tree_agrees(
            &case,
            &ApprovalsSufficient::at_least(case.min),
            Some(standing),
        );
        let known = oracle::everybody_is_known(world);
        tree_agrees(
            &case,
            &ApproverIsIndependent::default(),
            known.then(|| oracle::independent(world)),
        );
        let clear = known && !oracle::clock_cannot_tell(world, case.carried);
        tree_agrees(
            &case,
            &ApprovalCoversHead::new(case.min, case.carried),
            clear.then(|| oracle::covering(world, case.carried)),
        );
    }
}

/// What the three are for together: somebody else has seen what is merged.
#[test]
fn where_all_three_pass_somebody_independent_approved_the_head() {
    for case in population() {
        let three = |facts: &Snapshot| {
            [
                verdict_of(&ApprovalsSufficient::at_least(case.min), facts),
                verdict_of(&ApprovalCoversHead::new(case.min, case.carried), facts),
                verdict_of(&ApproverIsIndependent::default(), facts),
            ]
        };
        let good = oracle::seen_by_somebody_else(&case.world, case.carried);
        for facts in std::iter::once(&case.facts).chain(&case.veiled) {
            let open = three(facts).iter().all(|word| word == "pass");
            assert!(
                !open || good,
                "the gate is open, seed {}: {:#?}",
                case.seed,
                case.world
            );
        }
    }
}
