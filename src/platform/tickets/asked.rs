//! Which names are asked about, and how the answers come into the snapshot. A name
//! that is not asked about stays unknown, and says why.

use crate::facts::{
    Fact, FactKey, FoundTicket, NamedTicket, Snapshot, TicketNaming, Tickets, Tracker, Unknown, Why,
};

/// Most tickets that are asked for: a change that names more says nothing with them.
const MOST: usize = 20;

/// The names that a change gives, and which of them are asked about.
pub(in crate::platform) struct Asked {
    tracker: Tracker,
    /// Names in order; those behind the limit are not asked about.
    names: Vec<String>,
}

impl Asked {
    /// Finds the names in what is known of the change.
    ///
    /// # Errors
    /// Why nothing is known of it.
    pub(in crate::platform) fn of(
        naming: &TicketNaming,
        snapshot: &Snapshot,
    ) -> Result<Self, Unknown> {
        let (identity, commits) = (snapshot.identity.known(), snapshot.commits.known());
        if let (Err(unknown), Err(_)) = (&identity, &commits) {
            return Err(Unknown {
                fact: FactKey::ChangeTickets.name().to_owned(),
                ..unknown.clone()
            });
        }
        let mut names = naming.names(
            &snapshot.subject.repository,
            identity.ok(),
            commits.ok().map(Vec::as_slice),
        );
        names.retain(|name| !naming.is_elsewhere(name));
        Ok(Self {
            tracker: naming.tracker,
            names,
        })
    }

    /// The names to ask about.
    pub(in crate::platform) fn names(&self) -> &[String] {
        self.names.get(..MOST).unwrap_or(&self.names)
    }
}

/// Puts the answers to [`Asked::names`], in their order, into the snapshot.
pub(in crate::platform) fn put_into(
    snapshot: &mut Snapshot,
    asked: Asked,
    answers: Vec<Fact<FoundTicket>>,
) {
    let mut answers = answers.into_iter();
    let named = asked
        .names
        .into_iter()
        .map(|name| NamedTicket {
            name,
            found: answers.next().unwrap_or_else(|| {
                Fact::Unknown(Unknown::new(
                    FactKey::ChangeTickets.name(),
                    Why::NotSupported,
                    format!("the change names more than {MOST} tickets; the rest was not read"),
                ))
            }),
        })
        .collect();
    snapshot.tickets = Fact::known_without_source(Tickets {
        tracker: asked.tracker,
        named,
    });
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::facts::{Commit, Person, Platform, Subject};

    fn naming_tickets(count: usize) -> Snapshot {
        let mut snapshot = Snapshot::all_unknown(
            Subject {
                platform: Platform::Github,
                repository: "acme/app".to_owned(),
                change: Some(7),
                head: String::new(),
                target: "main".to_owned(),
            },
            Timestamp::UNIX_EPOCH,
            "ccgate test".to_owned(),
        );
        let nobody = Person {
            name: String::new(),
            email: String::new(),
            account: Fact::known_without_source(None),
        };
        snapshot.commits = Fact::known_without_source(vec![Commit {
            sha: String::new(),
            message: (1..=count).map(|number| format!("#{number} ")).collect(),
            author: nobody.clone(),
            committer: nobody,
            co_authors: Vec::new(),
            parents: Vec::new(),
        }]);
        snapshot
    }

    #[test]
    fn the_tickets_behind_the_limit_are_not_read_and_stay_unknown() {
        let mut snapshot = naming_tickets(25);
        let asked = Asked::of(&TicketNaming::default(), &snapshot).unwrap();
        assert_eq!(asked.names().len(), MOST);
        let answers = vec![Fact::known_without_source(FoundTicket::Nothing); MOST];
        put_into(&mut snapshot, asked, answers);
        let tickets = snapshot.tickets.known().unwrap();
        assert_eq!(tickets.named.len(), 25);
        assert!(tickets.named[19].found.is_known());
        let unread = tickets.named[20].found.known().unwrap_err();
        assert!(unread.detail.contains("the rest was not read"));
    }

    #[test]
    fn a_change_of_which_nothing_is_known_names_nothing() {
        let mut snapshot = naming_tickets(1);
        snapshot.commits = Fact::Unknown(Unknown::not_collected("change.commits"));
        assert!(Asked::of(&TicketNaming::default(), &snapshot).is_err());
    }
}
