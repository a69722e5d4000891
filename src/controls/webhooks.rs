//! Judges a list of webhooks, wherever they hang: over TLS, with a certificate
//! that is verified, signed with a secret, to a host that is expected.

use super::control::{Evidence, Verdict};
use super::judging::{Says, none_wrong};
use crate::facts::{Fact, FactKey, Unknown, Webhook};

/// Judges all hooks that are switched on; one that is off sends nothing, and is
/// mentioned. `hosts`, if any are given, are the only ones that may be sent to.
pub(super) fn judge_webhooks(
    hooks: &Fact<Vec<Webhook>>,
    key: FactKey,
    hosts: &[String],
) -> Result<Verdict, Unknown> {
    let all = hooks.known()?;
    let off = all.iter().filter(|hook| !hook.active).count();
    let says = Says {
        key,
        good: "every webhook goes over TLS to an expected host and is signed",
        bad: "a webhook is not secured",
    };
    let verdict = none_wrong(
        all.iter().filter(|hook| hook.active),
        &says,
        hooks.sources(),
        |hook| wrong(hook, hosts),
    )?;
    Ok(match verdict {
        Verdict::Pass(evidence) if off > 0 => Verdict::Pass(Evidence::and(
            evidence,
            key,
            format!("{off} switched off and not judged"),
            hooks.sources(),
        )),
        other => other,
    })
}

/// What is wrong with a hook, the proven things first.
fn wrong(hook: &Webhook, hosts: &[String]) -> Result<Option<String>, Unknown> {
    let says = |what: &str| Ok(Some(format!("{} {what}", hook.target)));
    if !hook.https {
        return says("without TLS");
    }
    if !hosts.is_empty()
        && !hosts
            .iter()
            .any(|host| host.eq_ignore_ascii_case(&hook.host))
    {
        return says("to a host that the policy does not name");
    }
    if hook.verifies_tls.known() == Ok(&false) {
        return says("with a certificate that nobody verifies");
    }
    if hook.has_secret.known() == Ok(&false) {
        return says("without a secret");
    }
    hook.verifies_tls.known()?;
    hook.has_secret.known()?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{hidden, seen};

    fn hook(change: impl FnOnce(&mut Webhook)) -> Webhook {
        let mut hook = Webhook {
            target: "https://hooks.acme.test".to_owned(),
            host: "hooks.acme.test".to_owned(),
            https: true,
            verifies_tls: seen(true),
            has_secret: seen(true),
            active: true,
        };
        change(&mut hook);
        hook
    }

    fn judged(hooks: Vec<Webhook>, hosts: &[&str]) -> &'static str {
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        match judge_webhooks(&seen(hooks), FactKey::AccessWebhooks, &hosts) {
            Ok(Verdict::Pass(_)) => "pass",
            Ok(Verdict::Fail(_)) => "fail",
            Ok(Verdict::NotApplicable(_)) => "not applicable",
            Err(_) => "unknown",
        }
    }

    #[test]
    fn secured_hooks_pass_and_so_does_none_at_all() {
        assert_eq!(judged(vec![hook(|_| {})], &[]), "pass");
        assert_eq!(judged(vec![], &[]), "pass");
    }

    #[test]
    fn each_thing_that_is_wrong_fails_whatever_else_is_hidden() {
        for change in [
            (|hook: &mut Webhook| hook.https = false) as fn(&mut Webhook),
            |hook| hook.verifies_tls = seen(false),
            |hook| hook.has_secret = seen(false),
        ] {
            let blind = hook(|hook| hook.has_secret = hidden());
            assert_eq!(judged(vec![blind, hook(change)], &[]), "fail");
        }
    }

    #[test]
    fn what_the_platform_does_not_tell_is_unknown() {
        assert_eq!(
            judged(vec![hook(|hook| hook.has_secret = hidden())], &[]),
            "unknown"
        );
        assert_eq!(
            judged(vec![hook(|hook| hook.verifies_tls = hidden())], &[]),
            "unknown"
        );
    }

    #[test]
    fn a_foreign_host_fails_where_hosts_are_named_and_a_hook_that_is_off_is_left_out() {
        assert_eq!(judged(vec![hook(|_| {})], &["HOOKS.acme.test"]), "pass");
        assert_eq!(judged(vec![hook(|_| {})], &["acme.test"]), "fail");
        let off = hook(|hook| {
            hook.https = false;
            hook.active = false;
        });
        assert_eq!(judged(vec![off], &[]), "pass");
    }
}
