//! Files of code owners, read as the platform reads them: GitHub's lines, of
//! which the last match counts, and GitLab's sections, in each of which the last
//! match counts. Says who owns a path; whether those owners exist is not known here.
//!
//! A line that the platform would skip owns nothing and stands among the
//! problems: reading it generously would show owners that nobody asks for.

mod line;
mod pattern;
#[cfg(test)]
mod tests;

use globset::{Candidate, GlobSet, GlobSetBuilder};

use super::settings::OwnersDialect;
use line::{Entry, Header, Line};

/// Who owns a path within one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership<'a> {
    /// Name of the section; `None` outside of any.
    pub section: Option<&'a str>,
    /// Whether approval by these owners is advice only.
    pub optional: bool,
    /// How many of them have to approve.
    pub min: u32,
    /// Who. Empty: the path was left without an owner on purpose.
    pub owners: &'a [String],
    /// Number of the line that says so, from 1.
    pub line: usize,
}

/// A file of code owners, ready to be asked.
#[derive(Debug)]
pub struct OwnersRules {
    sections: Vec<Section>,
    problems: Vec<String>,
}

#[derive(Debug)]
struct Section {
    name: Option<String>,
    optional: bool,
    min: u32,
    default_owners: Vec<String>,
    entries: Vec<Entry>,
    /// Every glob of every entry, and for each the index of its entry.
    globs: GlobSet,
    entry_of: Vec<usize>,
}

impl OwnersRules {
    /// Reads a file. Never fails: what cannot be read owns nothing and is a problem.
    pub fn parse(text: &str, dialect: OwnersDialect) -> Self {
        let mut problems = Vec::new();
        let mut sections = vec![Section::new(None)];
        let mut current = 0;
        for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let number = index + 1;
            match line::read(raw, number, dialect, &mut problems) {
                Line::Nothing => {}
                Line::Header(header) => current = place(&mut sections, header),
                Line::Entry(entry) => {
                    if let Some(section) = sections.get_mut(current) {
                        section.add(entry, dialect, &mut problems);
                    }
                }
            }
        }
        for section in &mut sections {
            section.compile(dialect, &mut problems);
        }
        Self { sections, problems }
    }

    /// What the platform cannot use, as `line N: what`.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Everybody who is named as an owner, sorted, each once.
    pub fn owner_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .sections
            .iter()
            .flat_map(|section| &section.entries)
            .flat_map(|entry| entry.owners.iter().map(String::as_str))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Who owns a path (relative to the root, `/` between its parts), section by section.
    pub fn owners_of(&self, path: &str) -> Vec<Ownership<'_>> {
        let mut found = Vec::new();
        let mut matching = Vec::new();
        let candidate = Candidate::new(path.trim_start_matches('/'));
        for section in &self.sections {
            if let Some(entry) = section.matched(&candidate, &mut matching) {
                found.push(Ownership {
                    section: section.name.as_deref(),
                    optional: section.optional,
                    min: section.min,
                    owners: &entry.owners,
                    line: entry.line,
                });
            }
        }
        found
    }

    /// Whether somebody has to approve changes of the path.
    pub fn is_owned(&self, path: &str) -> bool {
        let mut matching = Vec::new();
        let candidate = Candidate::new(path.trim_start_matches('/'));
        self.sections
            .iter()
            .filter(|section| !section.optional)
            .any(|section| {
                section
                    .matched(&candidate, &mut matching)
                    .is_some_and(|entry| !entry.owners.is_empty())
            })
    }
}

/// The section that a header opens; one of the same name goes on.
fn place(sections: &mut Vec<Section>, header: Header) -> usize {
    let same = sections.iter().position(|section| {
        section
            .name
            .as_deref()
            .is_some_and(|name| name.to_lowercase() == header.name.to_lowercase())
    });
    if let Some(index) = same {
        // Marked as advice in one place and not in another: it is required.
        if let Some(section) = sections.get_mut(index) {
            section.optional &= header.optional;
        }
        return index;
    }
    let mut section = Section::new(Some(header.name));
    section.optional = header.optional;
    section.min = header.min;
    section.default_owners = header.owners;
    sections.push(section);
    sections.len() - 1
}

impl Section {
    fn new(name: Option<String>) -> Self {
        Self {
            name,
            optional: false,
            min: 1,
            default_owners: Vec::new(),
            entries: Vec::new(),
            globs: GlobSet::empty(),
            entry_of: Vec::new(),
        }
    }

    fn add(&mut self, mut entry: Entry, dialect: OwnersDialect, problems: &mut Vec<String>) {
        if entry.owners.is_empty() && !entry.excludes {
            entry.owners.clone_from(&self.default_owners);
            // On GitHub a line without owners takes ownership away, on purpose.
            if entry.owners.is_empty() && dialect == OwnersDialect::Gitlab {
                problems.push(format!("line {}: nobody is named as an owner", entry.line));
            }
        }
        self.entries.push(entry);
    }

    fn compile(&mut self, dialect: OwnersDialect, problems: &mut Vec<String>) {
        let mut builder = GlobSetBuilder::new();
        for (index, entry) in self.entries.iter().enumerate() {
            match pattern::globs(&entry.pattern, dialect) {
                Ok(globs) => {
                    for glob in globs {
                        builder.add(glob);
                        self.entry_of.push(index);
                    }
                }
                Err(what) => problems.push(format!("line {}: {what}", entry.line)),
            }
        }
        match builder.build() {
            Ok(globs) => self.globs = globs,
            Err(error) => {
                // Nothing in this section can be matched, so it owns nothing.
                self.entry_of.clear();
                problems.push(format!("the patterns cannot be used together: {error}"));
            }
        }
    }

    /// The entry that counts for a path. An exclusion cannot be taken back by a
    /// later line of the same section.
    fn matched(&self, candidate: &Candidate<'_>, matching: &mut Vec<usize>) -> Option<&Entry> {
        self.globs.matches_candidate_into(candidate, matching);
        let entries = || {
            matching
                .iter()
                .filter_map(|glob| self.entry_of.get(*glob))
                .filter_map(|index| self.entries.get(*index))
        };
        if entries().any(|entry| entry.excludes) {
            return None;
        }
        entries().max_by_key(|entry| entry.line)
    }
}
