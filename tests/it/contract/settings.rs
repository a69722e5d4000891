//! The settings of the scenarios: where all is well every control passes with
//! its defaults, where nothing is every one of them fails.

use ccgate::facts::{
    AccessReview, AccessRole, AccessToken, Account, Alert, Alerts, AllowedSources, AppInstallation,
    CodeOwners, Collaborator, Collaborators, Definition, DefinitionFile, DeployKey, DeployableRefs,
    Environment, Environments, ForeignPart, ForkRuns, ImposedScan, InScopeBranch, MemberActivity,
    MergedHead, NewRepositoryDefaults, Organization, OrganizationIdentity, OrganizationTokens,
    OwnerStatus, OwnersDialect, OwnersFile, PartKind, PipelineDefinition, PipelineJob,
    PipelineSettings, Platform, PushBypass, PushProtection, Releases, ReportedCheck,
    RepositorySettings, RunInput, Runner, ScanKind, ScanSetup, Secret, SecretScope, Server,
    Settings, Severity, SingleSignOn, TagProtection, TeamAccess, TokenRights, Visibility, Watch,
    Webhook, Who, WithoutTwoFactor,
};

use super::scenarios::{at, seen};

const DAY: &str = "2026-05-20T08:00:00Z";
const LONG_AGO: &str = "2023-01-01T08:00:00Z";

fn text(word: &str) -> String {
    word.to_owned()
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| text(word)).collect()
}

fn people(names: &[&str]) -> Vec<Account> {
    names.iter().map(|&name| Account::human(name)).collect()
}

/// Where all is well.
pub(crate) fn good(platform: Platform) -> Settings {
    settings(platform, true)
}

/// Where nothing is.
pub(crate) fn bad(platform: Platform) -> Settings {
    settings(platform, false)
}

fn settings(platform: Platform, well: bool) -> Settings {
    let mut all = Settings::all_unknown();
    all.server = seen(Server {
        product: text("GitHub"),
        version: None,
        enterprise: None,
    });
    organization(&mut all, well);
    access(&mut all, well);
    repository(&mut all, platform, well);
    pipeline(&mut all, platform, well);
    scans(&mut all, well);
    all.environments = seen(Environments {
        not_in_plan: Vec::new(),
        list: vec![
            environment("production", well),
            environment("staging", false),
        ],
    });
    all
}

/// Environments that patterns and half-shared secrets keep apart, more or less, and
/// whatever reaches the repository, some of it well and some of it not.
pub(crate) fn mixed() -> Settings {
    let mut all = Settings::all_unknown();
    access(&mut all, true);
    all.webhooks = seen(vec![webhook(true), webhook(false)]);
    all.in_scope_branches = seen(vec![
        InScopeBranch {
            name: text("main"),
            layers: seen(texts(&["classic protection"])),
        },
        InScopeBranch {
            name: text("release/1"),
            layers: seen(Vec::new()),
        },
    ]);
    let limited = |name: &str, patterns: &[&str]| Environment {
        refs: seen(DeployableRefs::Patterns(texts(patterns))),
        ..environment(name, true)
    };
    all.environments = seen(Environments {
        not_in_plan: texts(&["protected environments"]),
        list: vec![
            limited("prod-eu", &["main"]),
            limited("prod-us", &["main", "release/1"]),
            limited("staging", &["*"]),
            Environment {
                reviewers: seen(texts(&["@ana"])),
                ..environment("preview", true)
            },
        ],
    });
    all.secrets = seen(Vec::new());
    all
}

fn organization(all: &mut Settings, well: bool) {
    let who = |good: Who| if well { good } else { Who::Members };
    all.organization = seen(Organization {
        name: text("acme"),
        not_in_plan: Vec::new(),
        two_factor_required: seen(well),
        two_factor_grace_hours: seen(0),
        base_permission: seen(if well {
            AccessRole::Read
        } else {
            AccessRole::Write
        }),
        repository_creation: seen(who(Who::Owners)),
        repository_deletion: seen(who(Who::Owners)),
        visibility_change: seen(who(Who::Owners)),
        outside_invitation: seen(who(Who::Owners)),
        private_forking: seen(!well),
    });
    all.organization_identity = seen(OrganizationIdentity {
        not_in_plan: Vec::new(),
        single_sign_on: seen(SingleSignOn {
            provider: well.then(|| text("https://sso.acme.test")),
            enforced: seen(well),
        }),
        ip_allow_list: seen(well),
        verified_domains: seen(if well {
            texts(&["acme.test"])
        } else {
            Vec::new()
        }),
        notifications_restricted: seen(well),
    });
    all.without_two_factor = seen(WithoutTwoFactor {
        disabled: seen(people(if well { &[] } else { &["eve"] })),
        insecure: seen(people(if well { &[] } else { &["dan"] })),
    });
    all.organization_owners = seen(people(if well { &["olga", "oscar"] } else { &["olga"] }));
    let members = ["ana", "bob", "olga", "oscar"];
    all.organization_members = seen(people(&members));
    all.outside_collaborators = seen(people(if well { &[] } else { &["eve"] }));
    all.member_activity = seen(
        members
            .iter()
            .map(|&name| MemberActivity {
                account: Account::human(name),
                last_active: seen(Some(at(if well { DAY } else { LONG_AGO }))),
            })
            .collect(),
    );
    all.access_review = seen(well.then(|| AccessReview {
        path: text(".ccgate/access-review.json"),
        digest: format!("sha256:{}", "22".repeat(32)),
        reviewed_at: at(DAY),
        reviewed_by: text("olga"),
        members: texts(&members),
    }));
    all.app_installations = seen(vec![AppInstallation {
        name: text("coverage"),
        permissions: texts(if well {
            &["contents: read"]
        } else {
            &["administration: write"]
        }),
        can_write: !well,
        all_repositories: !well,
        suspended: false,
    }]);
    all.organization_tokens = seen(OrganizationTokens {
        approval_required: seen(well),
        classic_blocked: seen(well),
        tokens: seen(vec![token("fine-grained token", well)]),
    });
    all.organization_webhooks = seen(vec![webhook(well)]);
    all.new_repository_defaults = seen(NewRepositoryDefaults {
        branch_rules: seen(if well { texts(&["all"]) } else { Vec::new() }),
        security_configuration: seen(well.then(|| text("baseline"))),
    });
}

fn token(kind: &str, well: bool) -> AccessToken {
    AccessToken {
        kind: text(kind),
        name: text("reports"),
        owner: Some(text("ana")),
        scopes: texts(if well { &["read_api"] } else { &["api"] }),
        role: Some(if well {
            AccessRole::Read
        } else {
            AccessRole::Admin
        }),
        created_at: Some(at(if well { DAY } else { LONG_AGO })),
        expires_at: well.then(|| at("2026-07-01T00:00:00Z")),
        last_used: well.then(|| at(DAY)),
    }
}

fn webhook(well: bool) -> Webhook {
    Webhook {
        target: text(if well {
            "https://hooks.acme.test"
        } else {
            "http://hooks.eve.test"
        }),
        host: text(if well {
            "hooks.acme.test"
        } else {
            "hooks.eve.test"
        }),
        https: well,
        verifies_tls: seen(well),
        has_secret: seen(well),
        active: true,
    }
}

fn access(all: &mut Settings, well: bool) {
    all.repository = seen(RepositorySettings {
        visibility: seen(if well {
            Visibility::Private
        } else {
            Visibility::Internal
        }),
        archived: seen(false),
        last_activity: seen(Some(at(if well { DAY } else { LONG_AGO }))),
        merge_methods: seen(Vec::new()),
        auto_merge: seen(!well),
        public_pipelines: seen(!well),
    });
    let person = |name: &str, role: AccessRole, outside: bool, direct: bool| Collaborator {
        account: Account::human(name),
        direct: direct.then(|| role.clone()),
        role,
        outside,
    };
    all.collaborators = seen(Collaborators {
        people: seen(if well {
            vec![
                person("bob", AccessRole::Write, false, false),
                person("olga", AccessRole::Admin, false, false),
            ]
        } else {
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]
                .iter()
                .map(|&name| person(name, AccessRole::Admin, true, true))
                .collect()
        }),
        teams: seen(vec![TeamAccess {
            name: text("@acme/maintainers"),
            role: AccessRole::Write,
        }]),
        in_organization: seen(true),
    });
    all.deploy_keys = seen(vec![DeployKey {
        title: text("mirror"),
        can_write: !well,
        created_at: Some(at(if well { DAY } else { LONG_AGO })),
        last_used: Some(at(if well { DAY } else { LONG_AGO })),
        expires_at: None,
    }]);
    all.access_tokens = seen(vec![token("project access token", well)]);
    all.webhooks = seen(vec![webhook(well)]);
}

fn repository(all: &mut Settings, platform: Platform, well: bool) {
    let layers = if well {
        texts(&["classic protection"])
    } else {
        Vec::new()
    };
    all.in_scope_branches = seen(vec![
        InScopeBranch {
            name: text("main"),
            layers: seen(layers.clone()),
        },
        InScopeBranch {
            name: text("release/1"),
            layers: seen(layers),
        },
    ]);
    all.tag_protections = seen(if well {
        vec![TagProtection {
            name: text("ruleset \"tags\""),
            include: texts(&["~ALL"]),
            exclude: Vec::new(),
            creation_limited: seen(true),
            update_blocked: seen(true),
            deletion_blocked: seen(true),
            bypass: seen(Vec::new()),
        }]
    } else {
        Vec::new()
    });
    all.releases = seen(Releases {
        exist: seen(true),
        immutable: seen(well),
    });
    let lines = if well {
        "* @acme/maintainers\n/.github/ @acme/security\n/.ccgate.yml @acme/security\n\
         /.gitlab-ci.yml @acme/security\n/CODEOWNERS @acme/security\n"
    } else {
        "/docs/ @acme/gone\n"
    };
    all.code_owners = seen(CodeOwners {
        file: Some(OwnersFile {
            path: text(match platform {
                Platform::Github => ".github/CODEOWNERS",
                Platform::Gitlab => "CODEOWNERS",
            }),
            digest: format!("sha256:{}", "33".repeat(32)),
            size: u64::try_from(lines.len()).expect("a short text"),
            text: text(lines),
            dialect: match platform {
                Platform::Github => OwnersDialect::Github,
                Platform::Gitlab => OwnersDialect::Gitlab,
            },
            platform_errors: seen(if well {
                Vec::new()
            } else {
                texts(&["line 1: unknown owner"])
            }),
        }),
        owners: if well {
            ["@acme/maintainers", "@acme/security"]
                .iter()
                .map(|&name| owner(name, true))
                .collect()
        } else {
            vec![owner("@acme/gone", false)]
        },
    });
    let updates = if well {
        ".github/dependabot.yml"
    } else {
        "docs/dependabot.yml"
    };
    all.paths = seen(texts(&[
        ".ccgate.yml",
        updates,
        ".github/CODEOWNERS",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "CODEOWNERS",
        "src/lib.rs",
    ]));
    all.merged_heads = seen(
        (1..=3)
            .map(|change| MergedHead {
                change,
                head: format!("{change}{change}").repeat(20),
                merged_at: Some(at(DAY)),
                reported: seen(if well { reported(platform) } else { Vec::new() }),
            })
            .collect(),
    );
}

fn owner(name: &str, well: bool) -> OwnerStatus {
    OwnerStatus {
        name: text(name),
        exists: seen(well),
        can_write: seen(well),
    }
}

fn reported(platform: Platform) -> Vec<ReportedCheck> {
    let check = |name: &str, app: Option<&str>| ReportedCheck {
        name: text(name),
        app: app.map(text),
    };
    match platform {
        Platform::Github => vec![check("ccgate", Some("15368")), check("test", Some("15368"))],
        Platform::Gitlab => vec![
            check("ccgate", None),
            check("pipeline", None),
            check("test", None),
        ],
    }
}

fn pipeline(all: &mut Settings, platform: Platform, well: bool) {
    all.pipeline = seen(PipelineSettings {
        default_token: seen(if well {
            TokenRights::Read
        } else {
            TokenRights::Write
        }),
        can_approve: seen(!well),
        allowed_sources: seen(if well {
            AllowedSources::LocalOnly
        } else {
            AllowedSources::Anything
        }),
        pinning_required: seen(well),
        fork_runs: seen(ForkRuns {
            run: true,
            approval: Some(text(if well {
                "all_external_contributors"
            } else {
                "first_time_contributors_new_to_github"
            })),
            everybody_waits: well,
            secrets: !well,
            write_token: !well,
        }),
        variables_by: seen(match platform {
            Platform::Github => None,
            Platform::Gitlab => Some(if well { Who::Nobody } else { Who::Members }),
        }),
        oidc_subject: seen(if well {
            texts(&["repo", "context"])
        } else {
            Vec::new()
        }),
    });
    all.runners = seen(if well {
        Vec::new()
    } else {
        vec![Runner {
            name: text("old-box"),
            self_hosted: true,
            shared: true,
            ephemeral: Some(false),
            protected_only: Some(false),
        }]
    });
    all.definition = seen(PipelineDefinition {
        imposed_by: None,
        files: vec![DefinitionFile {
            path: text(match platform {
                Platform::Github => ".github/workflows/ci.yml",
                Platform::Gitlab => ".gitlab-ci.yml",
            }),
            digest: format!("sha256:{}", "44".repeat(32)),
            content: seen(Definition {
                name: Some(text("ci")),
                triggers: texts(match platform {
                    Platform::Github => &["pull_request_target", "workflow_dispatch"],
                    Platform::Gitlab => &["merge_request_event"],
                }),
                filtered: !well,
                token: Some(if well {
                    TokenRights::Read
                } else {
                    TokenRights::Write
                }),
                parts: vec![ForeignPart {
                    kind: PartKind::Action,
                    name: text("actions/checkout"),
                    reference: Some(if well { "a1".repeat(20) } else { text("main") }),
                    pinned: well,
                    own: false,
                }],
                jobs: vec![
                    job("test", "cargo test", well),
                    job("ccgate", "ccgate check", well),
                ],
                inputs: vec![RunInput {
                    name: text("target"),
                    free_text: !well,
                }],
            }),
        }],
    });
    let secret = |name: &str, scope: SecretScope| Secret {
        name: text(name),
        scope,
        protected: Some(well),
        masked: well,
        updated_at: Some(at(if well { DAY } else { LONG_AGO })),
    };
    all.secrets = seen(if well {
        vec![secret(
            "DEPLOY_TOKEN",
            SecretScope::Environment(text("production")),
        )]
    } else {
        vec![secret("AWS_SECRET_ACCESS_KEY", SecretScope::Repository)]
    });
}

fn job(id: &str, command: &str, well: bool) -> PipelineJob {
    PipelineJob {
        id: text(id),
        reported_as: texts(&[id]),
        token: Some(if well {
            TokenRights::Read
        } else {
            TokenRights::Write
        }),
        rights: texts(if well {
            &["contents: read"]
        } else {
            &["write-all"]
        }),
        identity_token: well,
        soft_fail: (!well).then(|| text("continue-on-error: true")),
        condition: None,
        does: if well { texts(&[command]) } else { Vec::new() },
        environment: Some(text("production")),
        self_hosted: Some(false),
        secrets: if well {
            Vec::new()
        } else {
            texts(&["AWS_SECRET_ACCESS_KEY"])
        },
    }
}

fn scans(all: &mut Settings, well: bool) {
    let watch = |severity: Severity| Watch::On {
        looked_at: Some(at(DAY)),
        open: vec![Alert {
            severity,
            name: text("#7 rule-a"),
            opened_at: Some(at(if well { DAY } else { LONG_AGO })),
        }],
    };
    all.alerts = seen(Alerts {
        not_in_plan: false,
        code: seen(watch(Severity::High)),
        dependencies: seen(watch(Severity::Medium)),
        leaked_secrets: seen(if well {
            watch(Severity::Low)
        } else {
            Watch::Off
        }),
    });
    all.push_protection = seen(PushProtection {
        not_in_plan: false,
        secret_pushes_blocked: seen(well),
        push_bypasses: seen(vec![PushBypass {
            name: text("#8 some_token"),
            by: Some(text("ana")),
            at: Some(at(LONG_AGO)),
            reviewed_by: seen(well.then(|| text("olga"))),
        }]),
    });
    let scan = |kind: ScanKind| ImposedScan {
        kind,
        by: text("configuration \"baseline\""),
        enforced: well,
    };
    all.scan_setup = seen(ScanSetup {
        not_in_plan: false,
        scans_of_repository: seen(Vec::new()),
        scans_from_above: seen(if well {
            vec![scan(ScanKind::Sast), scan(ScanKind::Secrets)]
        } else {
            Vec::new()
        }),
    });
}

fn environment(name: &str, well: bool) -> Environment {
    Environment {
        name: text(name),
        tier: Some(text(name)),
        reviewers: seen(if well {
            texts(&["team maintainers"])
        } else {
            Vec::new()
        }),
        approvals: seen(u32::from(well)),
        self_review_prevented: seen(well),
        administrators_exempt: seen(!well),
        refs: seen(if well {
            DeployableRefs::ProtectedOnly
        } else {
            DeployableRefs::Anything
        }),
    }
}
