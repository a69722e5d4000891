use proptest::prelude::*;

use super::*;

fn owner_on(dialect: OwnersDialect, text: &str, path: &str) -> Vec<String> {
    OwnersRules::parse(text, dialect)
        .owners_of(path)
        .iter()
        .flat_map(|ownership| ownership.owners.to_vec())
        .collect()
}

/// Whether a line with that pattern matches on GitHub.
fn github(pattern: &str, path: &str) -> bool {
    !owner_on(OwnersDialect::Github, &format!("{pattern} @a"), path).is_empty()
}

fn gitlab(pattern: &str, path: &str) -> bool {
    !owner_on(OwnersDialect::Gitlab, &format!("{pattern} @a"), path).is_empty()
}

#[test]
fn github_patterns_reach_as_far_as_documented() {
    for (pattern, path, wanted) in [
        ("*", "a/b/c.rs", true),
        ("/*", "a.rs", true),
        ("/*", "a/b.rs", false),
        ("*.js", "a/b/c.js", true),
        ("*.js", "c.jsx", false),
        ("/build/logs/", "build/logs/x/y.log", true),
        ("/build/logs/", "a/build/logs/y.log", false),
        ("docs/*", "docs/a.md", true),
        ("docs/*", "docs/build/a.md", false),
        ("docs/*", "x/docs/a.md", false),
        ("apps/", "x/apps/y/z.rs", true),
        ("apps/", "apps", false),
        ("/docs/", "docs/a/b.md", true),
        ("/apps/github", "apps/github/x/y.rs", true),
        ("/apps/github", "apps/github", true),
        ("/apps/github", "apps/githubs", false),
        ("**/logs", "build/logs/x.log", true),
        ("**/logs", "deeply/nested/logs", true),
        ("/scripts/**", "scripts/a/b.sh", true),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("a/**/b", "x/a/b", false),
        ("README", "x/README", true),
        ("Readme", "README", false),
        ("a?c", "abc", true),
        ("a?c", "a/c", false),
        ("a{b}", "a{b}", true),
        ("a{b,c}", "ab", false),
        (".github/", ".github/workflows/ci.yml", true),
        ("path\\ with\\ spaces/", "path with spaces/x", true),
    ] {
        assert_eq!(github(pattern, path), wanted, "{pattern} {path}");
    }
}

#[test]
fn gitlab_patterns_reach_as_far_as_documented() {
    for (pattern, path, wanted) in [
        ("*", "a/b/.c", true),
        ("/docs/", "docs/a/b.md", true),
        ("/docs/*", "docs/a.md", true),
        ("/docs/*", "docs/a/b.md", false),
        ("lib/", "x/lib/y/z.rb", true),
        ("/config/", "x/config/y", false),
        ("README.md", "x/README.md", true),
        // Without a slash at the end a name is a file.
        ("docs", "docs/a.md", false),
        ("docs", "x/docs", true),
        ("/docs/**/*.md", "docs/a/b.md", true),
        ("**/*.rb", "config/database.rb", true),
        ("*.rb", ".hidden.rb", true),
        ("file[0-9].rb", "file7.rb", true),
        ("\\#file.rb", "#file.rb", true),
        ("path\\ with\\ spaces/", "path with spaces/x", true),
        ("a{b,c}", "ab", false),
    ] {
        assert_eq!(gitlab(pattern, path), wanted, "{pattern} {path}");
    }
}

#[test]
fn the_last_matching_line_counts_and_may_take_ownership_away() {
    let text = "* @all\n/apps/ @octo\n/apps/free\n";
    assert_eq!(owner_on(OwnersDialect::Github, text, "x"), ["@all"]);
    assert_eq!(owner_on(OwnersDialect::Github, text, "apps/x"), ["@octo"]);
    let rules = OwnersRules::parse(text, OwnersDialect::Github);
    assert!(!rules.is_owned("apps/free/x"));
    assert_eq!(rules.owners_of("apps/free/x").len(), 1);
    assert!(rules.problems().is_empty());
}

#[test]
fn what_github_skips_owns_nothing_and_is_reported() {
    for line in ["!a @x", "[ab] @x", "\\#a @x", "a x", "a @x @", "a @x,@y"] {
        let rules = OwnersRules::parse(line, OwnersDialect::Github);
        assert_eq!(rules.problems().len(), 1, "{line}");
        assert!(rules.problems()[0].starts_with("line 1: "), "{line}");
        assert!(rules.owner_names().is_empty(), "{line}");
    }
    let inline = OwnersRules::parse("a @x # @not-an-owner\r\n", OwnersDialect::Github);
    assert_eq!(inline.owner_names(), ["@x"]);
}

#[test]
fn sections_are_asked_one_by_one_and_an_optional_one_is_advice() {
    let text = "* @general\n[Docs][2] @docs\ndocs/\n^[Database] @dba\nmodel/ @dba @li\n\
                [DOCS]\nREADME.md\n[Free][0]\nfree/ @x\n";
    let rules = OwnersRules::parse(text, OwnersDialect::Gitlab);
    let found = rules.owners_of("docs/a.md");
    assert_eq!(found.len(), 2);
    assert_eq!((found[1].section, found[1].min), (Some("Docs"), 2));
    assert_eq!(found[1].owners, ["@docs"]);
    // A section of the same name goes on, whatever its case.
    assert_eq!(rules.owners_of("README.md")[1].section, Some("Docs"));
    let only = OwnersRules::parse("^[Database]\nmodel/ @dba\n", OwnersDialect::Gitlab);
    assert!(!only.is_owned("model/a") && only.owners_of("model/a")[0].optional);
    assert!(
        rules
            .problems()
            .iter()
            .any(|problem| problem.contains("only advice"))
    );
    assert!(!OwnersRules::parse("[Free][0]\nfree/ @x\n", OwnersDialect::Gitlab).is_owned("free/a"));
}

#[test]
fn an_exclusion_cannot_be_taken_back_and_roles_are_owners() {
    let text = "[Ruby]\n*.rb @@maintainers\n!/config/**/*.rb\n/config/routes.rb @ops\n";
    let rules = OwnersRules::parse(text, OwnersDialect::Gitlab);
    assert!(rules.is_owned("app/a.rb"));
    assert!(!rules.is_owned("config/routes.rb"));
    assert_eq!(rules.owner_names(), ["@@maintainers", "@ops"]);
    let none = OwnersRules::parse("a\n", OwnersDialect::Gitlab);
    assert_eq!(none.problems(), ["line 1: nobody is named as an owner"]);
}

#[test]
fn windows_line_ends_a_mark_at_the_start_and_odd_headers_are_no_surprise() {
    let rules = OwnersRules::parse("\u{feff}* @all\r\n/a/ @b\r\n", OwnersDialect::Github);
    assert_eq!(rules.owner_names(), ["@all", "@b"]);
    let odd = OwnersRules::parse("[]\n[x\n[x][y]\n*.a @a\n", OwnersDialect::Gitlab);
    assert_eq!(odd.problems().len(), 3);
    assert!(odd.is_owned("q.a"));
}

#[test]
fn three_megabytes_of_lines_are_read() {
    let text: String = (0..90_000)
        .map(|number| format!("/dir{number}/x @team{number}\n"))
        .collect();
    let rules = OwnersRules::parse(&text[..text.len().min(3_000_000)], OwnersDialect::Github);
    assert!(rules.is_owned("dir77/x/y"));
}

proptest! {
    #[test]
    fn whatever_the_text_nothing_panics(text in "(?s).{0,300}", path in ".{0,60}") {
        for dialect in [OwnersDialect::Github, OwnersDialect::Gitlab] {
            let rules = OwnersRules::parse(&text, dialect);
            let owned = rules.is_owned(&path);
            let named = rules
                .owners_of(&path)
                .iter()
                .any(|ownership| !ownership.optional && !ownership.owners.is_empty());
            prop_assert_eq!(owned, named);
        }
    }
}
