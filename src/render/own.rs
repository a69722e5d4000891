//! Own controls for people: what one asks, and the page of the names and functions
//! that expressions may use.

use std::fmt::Write as _;

use crate::controls::custom::{
    CustomControl, Expression, FUNCTIONS, Field, MAX_LENGTH, MAX_LOOPS, MAX_NODES, MAX_STEPS,
    NAMES, Name, Shape, VIEW,
};

use super::catalogue::{PLATFORMS, Rights, scope, title};
use super::escape::terminal;
use super::wrap::wrap;

/// Longest text of a policy that is shown here.
const LONGEST: usize = 3000;

/// What `ccgate explain` says about a control under `custom`.
pub fn explain_own(control: &CustomControl, rights: Rights<'_>, width: usize) -> String {
    let meta = control.meta();
    let declaration = control.declaration();
    let mut text = format!(
        "{}  {}\n{}\n\n",
        meta.code,
        meta.id,
        terminal(meta.title, LONGEST)
    );
    let criteria: Vec<String> = meta
        .criteria
        .iter()
        .map(|criterion| format!("{} ({})", criterion.id(), criterion.title()))
        .collect();
    let everywhere = "everywhere".to_owned();
    for (heading, says) in [
        ("criteria   ", criteria.join(", ")),
        ("about      ", scope(meta.scope, true).to_owned()),
        (
            "where      ",
            declaration
                .when
                .as_ref()
                .map_or(everywhere, |when| when.text().to_owned()),
        ),
        ("asks       ", declaration.assert.text().to_owned()),
        ("mend it    ", meta.remedy_github.to_owned()),
    ] {
        text.push_str(&wrap(heading, &terminal(&says, LONGEST), width));
    }
    text.push_str("\nrests on\n");
    let mut names: Vec<&Name> = declaration
        .when
        .iter()
        .flat_map(Expression::names)
        .chain(declaration.assert.names())
        .copied()
        .collect();
    names.sort_by_key(|name| name.path);
    names.dedup_by_key(|name| name.path);
    for name in names {
        let says = format!("{} ({})", name.about, name.shape.word());
        text.push_str(&wrap(&format!("  {}  ", name.path), &says, width));
    }
    for platform in PLATFORMS {
        if meta.needs.is_empty() {
            break;
        }
        let _ = write!(text, "\non {}\n", title(platform));
        for key in meta.needs {
            let (job, other) = rights.of(platform, *key);
            let _ = writeln!(text, "  reads    {}", key.name());
            text.push_str(&wrap("             job token    ", job, width));
            text.push_str(&wrap("             other token  ", other, width));
        }
    }
    text
}

/// `docs/expressions.md`.
pub fn expressions_document() -> String {
    let mut text = format!(
        "<!-- Generated from the table of names. Refresh: CCGATE_UPDATE=1 cargo test --test it generated -->\n\
         # Controls of your own\n\n\
         A policy may hold controls of its own under `custom`, written in [CEL](https://cel.dev):\n\n\
         ```yaml\n\
         version: 1\n\
         extends: [soc2-baseline]\n\
         custom:\n\
         \x20 - id: release-approved-by-two\n\
         \x20   criteria: [CC8.1]\n\
         \x20   when: change.target.startsWith(\"release/\")\n\
         \x20   assert: change.approvals.size() >= 2\n\
         \x20   next: ask a second person for a review\n\
         ```\n\n\
         - The code is `CUS-` and the id: `CUS-release-approved-by-two`. It is overridden, waived and recorded like any other control's.\n\
         - `id`, `criteria` and `assert` have to be there; `title`, `when`, `next`, `enforce`, `on_unknown`, `reason`, `owner` and `expires` may be.\n\
         - Where `when` is false the control does not apply. Where `when` or `assert` touches something that nobody could see, or cannot be worked out (a missing entry, a number too large, `null.login`), the control is *unknown*, never passed. `&&` and `||` are settled by one side all the same: `true || x` is true whatever `x` is.\n\
         - The names that an expression uses decide what is fetched. A name, field or function that does not exist is an error of the policy.\n\
         - A branch's policy cannot leave out or alter a control of the default branch's policy.\n\
         - `ccgate policy test` runs cases that stand beside a policy, `ccgate policy lint` says what can be met by nobody acting, `ccgate explain CUS-… --policy FILE` says what it rests on.\n\n\
         An id that a later version gives to a control of its own is refused then, and has to be renamed. An expression that holds `: ` or ` #` stands in quotes or behind `>-`, as YAML wants it.\n\n\
         Limits: {MAX_LENGTH} bytes, {MAX_NODES} parts with macros written out, {MAX_LOOPS} lists gone through inside of each other, {MAX_STEPS} steps over the facts. Past the last one the control is unknown. A pattern costs by its size and the text it is held against.\n\n\
         `==` compares values of one kind; logins are compared without regard to case. `has(x.y)` says whether `x.y` is not null. `all`, `exists`, `exists_one`, `filter` and `map` go through lists; `all` over an empty list is true. There are no fractions, no bytes, and no records written out.\n\n\
         ## Names ({VIEW})\n\n\
         Names are added; none changes its meaning.\n\n\
         | name | kind | says | fetched with |\n|---|---|---|---|\n"
    );
    for name in NAMES {
        let keys: Vec<String> = name
            .keys
            .iter()
            .map(|key| format!("`{}`", key.name()))
            .collect();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            name.path,
            kind(name.shape),
            name.about,
            if keys.is_empty() {
                "always".to_owned()
            } else {
                keys.join(", ")
            }
        );
    }
    text.push_str("\n## Records\n");
    let mut shown: Vec<&'static [Field]> = Vec::new();
    for name in NAMES {
        records(name.path, name.shape, &mut shown, &mut text);
    }
    text.push_str("\n## Functions\n\n| form | gives |\n|---|---|\n");
    for function in FUNCTIONS {
        let _ = writeln!(text, "| `{}` | {} |", function.form, function.about);
    }
    text.push_str(
        "\n## Cases\n\n\
         A file of cases is run with `ccgate policy test FILE`. It ends with 0 if all came out as expected, 1 if one did not, 2 if the file or the policy is wrong.\n\n\
         ```yaml\n\
         version: 1\n\
         policy: .ccgate.yml\n\
         cases:\n\
         \x20 - name: one approval is not enough for a release\n\
         \x20   facts:\n\
         \x20     change.target: release/2\n\
         \x20     change.approvals: [{reviewer: {login: li}}]\n\
         \x20   expect: {release-approved-by-two: fail}\n\
         ```\n\n\
         `policy` is a path beside the file, or a preset; default `.ccgate.yml`. A case has `facts`, values by the names above, or a `snapshot`, a file saved with `ccgate check --save-snapshot`. What `facts` leave out, fields of records too, is unknown. `expect` names controls by id or code and `pass`, `fail`, `unknown` or `not_applicable`; with a snapshot every control of the policy can be named, and `decision` may say `allow`, `block`, `undecided` or `pending`.\n",
    );
    text
}

fn kind(shape: Shape) -> String {
    match shape {
        Shape::List(of) => format!("list of {}", kind(*of)),
        Shape::Maybe(of) => format!("{} or null", kind(*of)),
        other => other.word(),
    }
}

/// The fields of a record and of those in it, each record once.
fn records(path: &str, shape: Shape, shown: &mut Vec<&'static [Field]>, text: &mut String) {
    match shape {
        Shape::List(of) | Shape::Maybe(of) => records(path, *of, shown, text),
        Shape::Record(fields) => {
            if shown.iter().any(|known| std::ptr::eq(*known, fields)) {
                return;
            }
            shown.push(fields);
            let _ = write!(
                text,
                "\n### {path}\n\n| field | kind | says |\n|---|---|---|\n"
            );
            for field in fields {
                let _ = writeln!(
                    text,
                    "| `{}` | {} | {} |",
                    field.name,
                    kind(field.shape),
                    field.about
                );
            }
            for field in fields {
                records(&format!("{path}.{}", field.name), field.shape, shown, text);
            }
        }
        Shape::Any
        | Shape::Null
        | Shape::Bool
        | Shape::Int
        | Shape::Text
        | Shape::Login
        | Shape::Time
        | Shape::Span => {}
    }
}
