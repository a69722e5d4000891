//! SPDX licence expressions (annex D of SPDX 2.3): whether one is met when each
//! licence in it is allowed, refused or undecided. Knows no list of licences.

/// Most parentheses inside each other; real expressions have two or three.
const DEEPEST: usize = 20;
/// Longest expression in bytes.
const LONGEST: usize = 4096;

/// How a licence, or an expression of several, is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stand {
    /// It may not be used.
    Refused,
    /// Nobody said so, or nobody can read it.
    Undecided,
    /// It may be used.
    Allowed,
}

/// One licence of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Licence<'a> {
    /// Its id, without a `+`.
    pub(super) id: &'a str,
    /// Whether later versions may be chosen (`+`).
    pub(super) or_later: bool,
    /// The exception granted with it.
    pub(super) exception: Option<&'a str>,
}

/// Judges an expression: of `AND` the worst counts, of `OR` the best. What is no
/// expression is undecided.
pub(super) fn stand(expression: &str, of: &dyn Fn(Licence<'_>) -> Stand) -> Stand {
    if expression.len() > LONGEST {
        return Stand::Undecided;
    }
    let mut reader = Reader {
        words: words(expression),
        place: 0,
        of,
    };
    match reader.any(0) {
        Some(stand) if reader.place == reader.words.len() => stand,
        Some(_) | None => Stand::Undecided,
    }
}

/// The words and parentheses of an expression.
fn words(expression: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in expression.split_ascii_whitespace() {
        let mut rest = part;
        while let Some(place) = rest.find(['(', ')']) {
            let (before, after) = rest.split_at(place);
            if !before.is_empty() {
                words.push(before);
            }
            let (parenthesis, after) = after.split_at(1);
            words.push(parenthesis);
            rest = after;
        }
        if !rest.is_empty() {
            words.push(rest);
        }
    }
    words
}

struct Reader<'a, 'f> {
    words: Vec<&'a str>,
    place: usize,
    of: &'f dyn Fn(Licence<'_>) -> Stand,
}

impl<'a> Reader<'a, '_> {
    /// Takes the operator if it is the next word: SPDX 2 writes them in capitals,
    /// SPDX 3 in small letters as well.
    fn takes(&mut self, operator: &str) -> bool {
        let next = self.words.get(self.place);
        let is = next.is_some_and(|word| {
            *word == operator || (*word == operator.to_ascii_lowercase() && operator != "(")
        });
        self.place += usize::from(is);
        is
    }

    fn any(&mut self, depth: usize) -> Option<Stand> {
        let mut best = self.all(depth)?;
        while self.takes("OR") {
            best = best.max(self.all(depth)?);
        }
        Some(best)
    }

    fn all(&mut self, depth: usize) -> Option<Stand> {
        let mut worst = self.one(depth)?;
        while self.takes("AND") {
            worst = worst.min(self.one(depth)?);
        }
        Some(worst)
    }

    fn one(&mut self, depth: usize) -> Option<Stand> {
        if self.takes("(") {
            if depth == DEEPEST {
                return None;
            }
            let inside = self.any(depth + 1)?;
            return self.takes(")").then_some(inside);
        }
        let word = self.name()?;
        let exception = if self.takes("WITH") {
            Some(self.name()?)
        } else {
            None
        };
        let id = word.strip_suffix('+').unwrap_or(word);
        if id.is_empty() || id.contains('+') {
            return None;
        }
        Some((self.of)(Licence {
            id,
            or_later: id.len() < word.len(),
            exception,
        }))
    }

    /// A word that may name something.
    fn name(&mut self) -> Option<&'a str> {
        let word = *self.words.get(self.place)?;
        let operator = ["AND", "OR", "WITH"]
            .iter()
            .any(|operator| word.eq_ignore_ascii_case(operator));
        let named = word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.:+".contains(&byte));
        if operator || !named {
            return None;
        }
        self.place += 1;
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(expression: &str) -> Stand {
        stand(
            expression,
            &|licence| match (licence.id, licence.exception) {
                ("MIT" | "ISC", _) | ("GPL", Some("classpath")) => Stand::Allowed,
                ("GPL" | "SSPL", _) => Stand::Refused,
                _ => Stand::Undecided,
            },
        )
    }

    #[test]
    fn of_and_the_worst_counts_and_of_or_the_best() {
        for (expression, expected) in [
            ("MIT", Stand::Allowed),
            ("GPL", Stand::Refused),
            ("MIT AND ISC", Stand::Allowed),
            ("MIT AND GPL", Stand::Refused),
            ("MIT OR GPL", Stand::Allowed),
            ("GPL OR SSPL", Stand::Refused),
            ("GPL OR X", Stand::Undecided),
            ("GPL AND X", Stand::Refused),
            ("MIT AND X", Stand::Undecided),
            ("MIT or X", Stand::Allowed),
            // AND binds tighter.
            ("MIT OR GPL AND SSPL", Stand::Allowed),
            ("(MIT OR GPL) AND SSPL", Stand::Refused),
            ("((MIT))", Stand::Allowed),
            ("GPL WITH classpath", Stand::Allowed),
            ("GPL WITH other OR MIT", Stand::Allowed),
            ("GPL+ AND MIT", Stand::Refused),
        ] {
            assert_eq!(judged(expression), expected, "{expression}");
        }
    }

    /// The cheat: an expression that a lenient reader takes for its good half.
    #[test]
    fn what_is_no_expression_is_undecided() {
        let deep = format!("{}MIT{}", "(".repeat(21), ")".repeat(21));
        let bomb = "(".repeat(4000);
        let long = vec!["MIT"; 1500].join(" OR ");
        for expression in [
            "",
            "()",
            "MIT GPL",
            "MIT,GPL",
            "MIT/GPL",
            "MIT OR",
            "OR MIT",
            "MIT AND AND MIT",
            "MIT Or GPL",
            "(MIT",
            "MIT)",
            "MIT WITH",
            "+",
            "MIT++",
            "M\u{200b}IT",
            "\u{41c}IT",
            &deep,
            &bomb,
            &long,
        ] {
            assert_eq!(judged(expression), Stand::Undecided, "{expression}");
        }
    }
}
