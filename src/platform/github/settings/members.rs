//! Members, owners, outside collaborators, and who of them has no second factor.
//! An outsider is shown public members with status 200, so a list of members is
//! believed only beside an answer that nobody but an insider gets.

use crate::facts::{Account, Fact, FactKey, Needs, Unknown, Why, WithoutTwoFactor};
use crate::platform::join::when;
use crate::platform::transport::{Listing, NoAnswer};

use super::super::{permissions, wire};
use super::owner_side::Asker;
use super::reading;

/// The groups about people, as far as they were needed.
#[derive(Default)]
pub(super) struct People {
    pub(super) without_two_factor: Option<Fact<WithoutTwoFactor>>,
    pub(super) owners: Option<Fact<Vec<Account>>>,
    pub(super) members: Option<Fact<Vec<Account>>>,
    pub(super) outside: Option<Fact<Vec<Account>>>,
}

/// Asks for the people of the organisation.
pub(super) async fn ask(asker: &Asker<'_>, needs: &Needs) -> People {
    let wanted = |key: FactKey| needs.has(key);
    let two_factor = wanted(FactKey::OrganizationTwoFactor);
    let owners = wanted(FactKey::OrganizationOwners);
    let members = wanted(FactKey::OrganizationMembers);
    let outside = wanted(FactKey::OrganizationOutside);
    if let Some(unknown) = asker.no_organization(
        FactKey::OrganizationMembers,
        "the members of an organisation",
    ) {
        return nobody(&unknown, two_factor, [owners, members, outside]);
    }
    let base = asker.organization_path();
    let listing = |tail: &'static str| {
        let path = format!("{base}/{tail}");
        async move { asker.client().get_all(&path, None).await }
    };
    let (
        no_factor,
        weak_factor,
        no_factor_outside,
        weak_factor_outside,
        owner_list,
        all,
        strangers,
    ) = tokio::join!(
        when(two_factor, || listing("members?filter=2fa_disabled")),
        when(two_factor, || listing("members?filter=2fa_insecure")),
        when(two_factor, || listing(
            "outside_collaborators?filter=2fa_disabled"
        )),
        when(two_factor, || listing(
            "outside_collaborators?filter=2fa_insecure"
        )),
        when(owners, || listing("members?role=admin")),
        when(members, || listing("members?role=all")),
        when(owners || members || outside, || listing(
            "outside_collaborators"
        )),
    );
    let without_two_factor = match (
        no_factor,
        weak_factor,
        no_factor_outside,
        weak_factor_outside,
    ) {
        (Some(none), Some(weak), Some(none_outside), Some(weak_outside)) => {
            Some(Fact::known_without_source(WithoutTwoFactor {
                disabled: both(filtered(&none), filtered(&none_outside)),
                insecure: both(filtered(&weak), filtered(&weak_outside)),
            }))
        }
        _ => None,
    };
    let insiders = |key, list: Option<Result<Listing, NoAnswer>>| {
        let (list, control) = (list?, strangers.as_ref()?);
        Some(insiders_list(key, &list, control))
    };
    People {
        without_two_factor,
        owners: insiders(FactKey::OrganizationOwners, owner_list),
        members: insiders(FactKey::OrganizationMembers, all),
        outside: strangers
            .as_ref()
            .filter(|_| outside)
            .map(|list| accounts(FactKey::OrganizationOutside, list)),
    }
}

fn nobody(unknown: &Unknown, two_factor: bool, lists: [bool; 3]) -> People {
    let of = |key: FactKey| {
        let mut unknown = unknown.clone();
        key.name().clone_into(&mut unknown.fact);
        if unknown.needs.is_some() {
            unknown = unknown.needs(permissions::needs(key));
        }
        unknown
    };
    let list = |needed: bool, key| needed.then(|| Fact::Unknown(of(key)));
    let [owners, members, outside] = lists;
    People {
        without_two_factor: two_factor.then(|| Fact::Unknown(of(FactKey::OrganizationTwoFactor))),
        owners: list(owners, FactKey::OrganizationOwners),
        members: list(members, FactKey::OrganizationMembers),
        outside: list(outside, FactKey::OrganizationOutside),
    }
}

fn accounts(key: FactKey, list: &Result<Listing, NoAnswer>) -> Fact<Vec<Account>> {
    reading::list_of(
        key,
        list,
        // Lists of settings are compared by login from one snapshot to the next.
        |user: &wire::RestUser| user.account().map(|account| account.numbered(None)),
        "somebody in the list has no login",
    )
}

/// A list by second factor: only owners may ask for it, and the platform tells
/// everybody else that the question is not valid.
fn filtered(list: &Result<Listing, NoAnswer>) -> Fact<Vec<Account>> {
    let key = FactKey::OrganizationTwoFactor;
    if let Err(NoAnswer::Status(answer)) = list
        && answer.status == 422
    {
        return Fact::Unknown(
            Unknown::new(
                key.name(),
                Why::NotPermitted,
                format!(
                    "the platform lets owners of the organisation alone ask for people by second factor: `{}`",
                    answer.message()
                ),
            )
            .needs(permissions::needs(key))
            .at(answer.endpoint.clone(), Some(answer.status)),
        );
    }
    accounts(key, list)
}

fn both(members: Fact<Vec<Account>>, outside: Fact<Vec<Account>>) -> Fact<Vec<Account>> {
    match (members, outside) {
        (
            Fact::Known { value, sources },
            Fact::Known {
                value: more,
                sources: further,
            },
        ) => {
            let mut all: Vec<Account> = value.into_iter().chain(more).collect();
            all.sort();
            all.dedup();
            Fact::seen_in(all, sources.into_iter().chain(further).collect())
        }
        (Fact::Unknown(unknown), _) | (_, Fact::Unknown(unknown)) => Fact::Unknown(unknown),
    }
}

fn insiders_list(
    key: FactKey,
    list: &Result<Listing, NoAnswer>,
    control: &Result<Listing, NoAnswer>,
) -> Fact<Vec<Account>> {
    let people = accounts(key, list);
    let Fact::Known { value, .. } = &people else {
        return people;
    };
    let doubt = if control.is_err() {
        "an outsider is shown public members only, and the list of outside collaborators, which insiders alone can read, was refused"
    } else if value.is_empty() {
        "the list is empty, which no organisation's can be"
    } else {
        return people;
    };
    let endpoint = list
        .as_ref()
        .map_or_else(|_| String::new(), |listing| listing.endpoint.clone());
    Fact::Unknown(
        Unknown::new(key.name(), Why::HiddenOrAbsent, doubt)
            .needs(permissions::needs(key))
            .at(endpoint, Some(200)),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::testing::{listing, no_listing};
    use super::*;

    const KEY: FactKey = FactKey::OrganizationMembers;

    #[test]
    fn members_are_believed_beside_an_answer_that_only_insiders_get() {
        let list =
            listing(&json!([{"login": "eve", "type": "User"}, {"login": "ana", "type": "User"}]));
        let seen = insiders_list(KEY, &list, &listing(&json!([])));
        let logins: Vec<&str> = seen
            .known()
            .unwrap()
            .iter()
            .map(|account| account.login.as_str())
            .collect();
        assert_eq!(logins, ["ana", "eve"]);
    }

    #[test]
    fn public_members_that_an_outsider_is_shown_are_no_list_of_members() {
        let list = listing(&json!([{"login": "ana", "type": "User"}]));
        for control in [no_listing(403, "no"), no_listing(404, "Not Found")] {
            let unknown = insiders_list(KEY, &list, &control).known().unwrap_err();
            assert_eq!(unknown.why, Why::HiddenOrAbsent);
            assert!(unknown.needs.is_some());
        }
    }

    #[test]
    fn an_organisation_without_anybody_is_not_believed() {
        let empty = listing(&json!([]));
        assert!(!insiders_list(KEY, &empty, &empty).is_known());
    }

    #[test]
    fn a_filter_that_is_refused_as_invalid_is_a_matter_of_rights() {
        let unknown = filtered(&no_listing(422, "Only owners can use this filter."))
            .known()
            .unwrap_err();
        assert_eq!(unknown.why, Why::NotPermitted);
        assert!(unknown.detail.contains("Only owners can use this filter."));
    }

    #[test]
    fn half_of_the_people_without_a_second_factor_is_not_all_of_them() {
        let some = filtered(&listing(&json!([{"login": "ana", "type": "User"}])));
        let hidden = filtered(&no_listing(403, "no"));
        assert!(!both(some.clone(), hidden).is_known());
        let both = both(
            some,
            filtered(&listing(&json!([{"login": "zoe", "type": "User"}]))),
        );
        assert_eq!(both.known().unwrap().len(), 2);
    }

    #[test]
    fn a_member_without_a_name_spoils_the_list() {
        assert!(!accounts(KEY, &listing(&json!([{"type": "User"}]))).is_known());
    }
}
