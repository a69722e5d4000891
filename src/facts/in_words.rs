//! Demands as words, for tables that people read. Nothing is judged by them.

use super::branch::{DirectPush, MergeMethod, PathReviewers, RequiredCheck, RequiredWorkflow};

/// A demand as people read it in a table.
pub trait InWords {
    /// Short, lower case, `-` where nothing is demanded.
    fn in_words(&self) -> String;
}

impl InWords for bool {
    fn in_words(&self) -> String {
        if *self { "yes" } else { "-" }.to_owned()
    }
}

impl InWords for u32 {
    fn in_words(&self) -> String {
        self.to_string()
    }
}

impl InWords for String {
    fn in_words(&self) -> String {
        self.clone()
    }
}

impl InWords for RequiredCheck {
    fn in_words(&self) -> String {
        match &self.app {
            Some(app) => format!("{} (app {app})", self.name),
            None => format!("{} (any app)", self.name),
        }
    }
}

impl InWords for MergeMethod {
    fn in_words(&self) -> String {
        self.word().to_owned()
    }
}

impl InWords for PathReviewers {
    fn in_words(&self) -> String {
        format!(
            "{} of {} for {}",
            self.min,
            self.reviewers.join(", "),
            self.paths.join(", ")
        )
    }
}

impl InWords for RequiredWorkflow {
    fn in_words(&self) -> String {
        format!("{} of {}", self.path, self.repository)
    }
}

impl InWords for DirectPush {
    fn in_words(&self) -> String {
        match (self.restricted, self.actors.as_slice()) {
            (false, _) => "-".to_owned(),
            (true, []) => "nobody".to_owned(),
            (true, actors) => actors.join(", "),
        }
    }
}

impl<T: InWords> InWords for Vec<T> {
    fn in_words(&self) -> String {
        if self.is_empty() {
            return "-".to_owned();
        }
        let words: Vec<String> = self.iter().map(InWords::in_words).collect();
        words.join(", ")
    }
}
