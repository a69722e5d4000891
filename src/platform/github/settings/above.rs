//! What stands above repositories and reaches some of them alone: in a run over
//! several repositories the lists above are asked once, and here it is worked out
//! whether they mean this one. What is not told is never taken for "not this one".

use serde::Deserialize;

use crate::facts::{FactKey, Source, Unknown};
use crate::platform::Thrift;
use crate::platform::transport::{Listing, NoAnswer};

use super::owner_side::Asker;
use super::reading;

/// Whom something is meant for, by the platform's word.
/// <https://docs.github.com/rest/actions/secrets#list-organization-secrets>
/// <https://docs.github.com/rest/actions/self-hosted-runner-groups#list-self-hosted-runner-groups-for-an-organization>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// Everybody, or a word that is not known.
    Everybody,
    /// Repositories that not everybody can read.
    NotPublic,
    /// Those on a list.
    Listed,
}

impl Meant {
    pub(super) fn of(word: Option<&str>) -> Self {
        match word {
            Some("private") => Self::NotPublic,
            Some("selected") => Self::Listed,
            Some(_) | None => Self::Everybody,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    full_name: Option<String>,
}

impl Named {
    /// Whether it is this repository; `None`: it has no name.
    pub(super) fn is(&self, repository: &str) -> Option<bool> {
        let name = self.full_name.as_deref()?;
        Some(name.eq_ignore_ascii_case(repository))
    }
}

impl Asker<'_> {
    /// Whether lists above this repository serve others of the same run as well.
    pub(super) fn shares(&self) -> bool {
        self.session.fleet.is_some() && !self.of_a_person()
    }

    /// Whether what only some answers make necessary waits for those answers.
    pub(super) fn saves_requests(&self) -> bool {
        self.session.setup.thrift == Thrift::Requests
    }

    /// Whether this repository is meant, and where that was read. `list`: the path of
    /// the list for [`Meant::Listed`].
    pub(super) async fn is_meant(
        &self,
        key: FactKey,
        meant: Meant,
        list: &str,
    ) -> Result<(bool, Vec<Source>), Unknown> {
        match meant {
            Meant::Everybody => Ok((true, Vec::new())),
            Meant::NotPublic => Ok((self.session.about.public != Some(true), Vec::new())),
            Meant::Listed => {
                let client = self.client();
                let list = client.get_all_shared(list, Some("repositories")).await;
                stands_in(key, &list, &self.session.setup.place.repository)
            }
        }
    }
}

fn stands_in(
    key: FactKey,
    list: &Result<Listing, NoAnswer>,
    repository: &str,
) -> Result<(bool, Vec<Source>), Unknown> {
    let read = reading::list::<Named>(key, list)?;
    let there: Option<Vec<bool>> = read
        .value
        .iter()
        .map(|named| named.is(repository))
        .collect();
    match there {
        Some(there) => Ok((there.contains(&true), read.sources)),
        None => Err(read.malformed(key, "a repository has no name")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::testing::{listing, no_listing};
    use super::*;

    const KEY: FactKey = FactKey::PipelineRunners;

    #[test]
    fn a_word_that_is_not_known_means_everybody() {
        assert_eq!(Meant::of(Some("selected")), Meant::Listed);
        assert_eq!(Meant::of(Some("private")), Meant::NotPublic);
        for word in [Some("all"), Some("some"), Some(""), None] {
            assert_eq!(Meant::of(word), Meant::Everybody, "{word:?}");
        }
    }

    #[test]
    fn a_repository_is_on_a_list_by_its_whole_name_in_any_case() {
        let list = listing(&json!([{"full_name": "Acme/App"}]));
        assert!(stands_in(KEY, &list, "acme/app").unwrap().0);
        assert!(!stands_in(KEY, &list, "acme/app2").unwrap().0);
        assert!(!stands_in(KEY, &list, "other/app").unwrap().0);
    }

    #[test]
    fn a_list_that_is_hidden_or_has_gaps_does_not_say_no() {
        assert!(stands_in(KEY, &no_listing(403, "no"), "acme/app").is_err());
        assert!(stands_in(KEY, &listing(&json!([{}])), "acme/app").is_err());
    }
}
