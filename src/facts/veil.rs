//! A snapshot that is shown in part, to one control after the other. Parts change
//! places instead of being copied: a change may have thousands of files, and more
//! than a hundred controls look at it. It does not know what a control is.

use std::mem::swap;

use super::key::{FactKey, Needs};
use super::snapshot::Snapshot;

/// A snapshot of which only some groups can be seen at a time. The snapshot is whole
/// again when the veil is dropped.
pub struct Veil<'s> {
    /// What is not shown now; in the place of what is shown stands what hides it.
    kept: &'s mut Snapshot,
    shown: Snapshot,
    /// The groups that are shown.
    open: Needs,
    /// What was copied to be shown.
    apart: Option<Snapshot>,
}

/// Lets fields change places where the groups that they belong to are to be shown and
/// are not, or the other way round.
macro_rules! exchange {
    ($self:ident, $needs:ident, {$($field:ident: [$($key:ident),+],)*}) => {
        $(
            let keys = [$(FactKey::$key),+];
            if $needs.any_of(&keys) != $self.open.any_of(&keys) {
                swap(&mut $self.kept.$field, &mut $self.shown.$field);
            }
        )*
    };
}

impl<'s> Veil<'s> {
    /// A veil over the snapshot, which shows nothing yet.
    pub fn over(facts: &'s mut Snapshot) -> Self {
        Self {
            shown: facts.restricted_to(&Needs::none()),
            kept: facts,
            open: Needs::none(),
            apart: None,
        }
    }

    /// The same as [`Snapshot::restricted_to`] of the whole.
    pub fn show(&mut self, needs: &Needs) -> &Snapshot {
        // The rules and who can go around them share a field: one without the other
        // has to be copied.
        if needs.has(FactKey::BranchRules) != needs.has(FactKey::BranchBypass) {
            self.exchange(&Needs::none());
            return self.apart.insert(self.kept.restricted_to(needs));
        }
        self.exchange(needs);
        &self.shown
    }

    fn exchange(&mut self, needs: &Needs) {
        let (kept, shown) = (&mut self.kept.settings, &mut self.shown.settings);
        kept.exchange(shown, |key| needs.has(key) != self.open.has(key));
        exchange!(self, needs, {
            branch_rules: [BranchRules, BranchBypass],
            arrivals: [BranchArrivals],
            arrived_changes: [BranchArrivedChanges],
            bypasses: [BranchBypasses],
            rules_before: [BranchRulesBefore],
            override_register: [LedgerOverrides],
            identity: [ChangeIdentity],
            association: [ChangeAssociation],
            commits: [ChangeCommits],
            reviews: [ChangeReviews],
            pushes: [ChangePushes],
            checks: [ChangeChecks],
            comments: [ChangeComments],
            files: [ChangeFiles],
            discussion: [ChangeThreads],
            signatures: [ChangeSignatures],
            originals: [ChangeOriginals],
            tickets: [ChangeTickets],
            queue: [ChangeQueue],
            teams: [TeamMembers],
            scans: [ScanResults],
            change_analyses: [ScanChangeAnalyses],
        });
        self.open = needs.clone();
    }
}

impl Drop for Veil<'_> {
    fn drop(&mut self) {
        self.exchange(&Needs::none());
    }
}
