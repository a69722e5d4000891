//! Which files a pattern takes, and which tricks it does not fall for.

use tempfile::TempDir;

use super::*;

/// A folder with these empty files in it.
fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
        fs::write(path, "").expect("the file");
    }
    folder
}

fn taken(pattern: &str, root: &Path) -> Vec<String> {
    let found = files(pattern, root);
    let shown = found.into_iter().map(|found| match found {
        Found::File(path) => path.to_string_lossy().into_owned(),
        Found::Problem { path, reason } => format!("! {} {reason}", path.display()),
    });
    shown.collect()
}

#[test]
fn a_glob_takes_the_files_of_its_folder_in_order() {
    let root = folder(&[
        "results/b.sarif",
        "results/a.sarif",
        "results/c.txt",
        "results/d/e.sarif",
    ]);
    let expected = ["results/a.sarif", "results/b.sarif"];
    assert_eq!(taken("results/*.sarif", root.path()), expected);
    assert_eq!(taken("./results/*.sarif", root.path()), expected);
    let absolute = format!("{}/results/*.sarif", root.path().display());
    assert_eq!(taken(&absolute, root.path()), expected);
}

#[test]
fn two_stars_enter_folders_but_not_git() {
    let root = folder(&[
        "a.sarif",
        "x/y/b.sarif",
        ".git/c.sarif",
        "x/.git/d.sarif",
        ".e/f.sarif",
    ]);
    assert_eq!(
        taken("**/*.sarif", root.path()),
        [".e/f.sarif", "a.sarif", "x/y/b.sarif"]
    );
}

#[test]
fn a_file_that_is_named_is_taken_wherever_it_lies() {
    let root = folder(&["inside/x", "out.sarif"]);
    let inside = root.path().join("inside");
    assert_eq!(taken("../out.sarif", &inside), ["../out.sarif"]);
    let absolute = root.path().join("out.sarif").display().to_string();
    assert_eq!(taken(&absolute, &inside), [absolute.as_str()]);
}

#[test]
fn a_glob_does_not_climb_out() {
    let root = folder(&["inside/x", "out.sarif"]);
    let inside = root.path().join("inside");
    for pattern in [
        "../*.sarif".to_owned(),
        "a/../../*.sarif".to_owned(),
        format!("{}/*.sarif", root.path().display()),
    ] {
        let taken = taken(&pattern, &inside);
        assert!(taken[0].starts_with("! "), "{taken:?}");
        assert_eq!(taken.len(), 1);
    }
}

#[test]
fn a_file_called_like_the_glob_does_not_hide_the_others() {
    let root = folder(&["r/*.sarif", "r/bad.sarif"]);
    assert_eq!(
        taken("r/*.sarif", root.path()),
        ["r/*.sarif", "r/bad.sarif"]
    );
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let root = folder(&["a.txt"]);
    for pattern in [
        "a.sarif",
        "*.sarif",
        "none/*.sarif",
        "a.txt/*.sarif",
        "**/*.sarif",
    ] {
        assert_eq!(taken(pattern, root.path()), [""; 0], "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_for_files_is_a_problem() {
    let root = folder(&["r/a.sarif"]);
    for pattern in ["", " ", "r", "r/", "r/[a.sarif", "r/{a", "."] {
        let taken = taken(pattern, root.path());
        assert!(taken[0].starts_with("! "), "{pattern}: {taken:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_matching_link_is_followed_only_inside() {
    use std::os::unix::fs::symlink;
    let root = folder(&["out.sarif", "in/real.sarif", "in/r/x"]);
    let inside = root.path().join("in");
    symlink("../real.sarif", inside.join("r/a.sarif")).expect("a link");
    symlink("../../out.sarif", inside.join("r/b.sarif")).expect("a link");
    symlink("nowhere", inside.join("r/c.sarif")).expect("a link");
    symlink("..", inside.join("r/d.sarif")).expect("a link");
    let taken = taken("r/*.sarif", &inside);
    assert_eq!(taken.len(), 3, "{taken:?}");
    assert!(taken.contains(&"r/a.sarif".to_owned()));
    assert!(taken.iter().any(|taken| taken.starts_with("! r/b.sarif")));
    assert!(taken.iter().any(|taken| taken.starts_with("! r/c.sarif")));
}

#[cfg(unix)]
#[test]
fn a_folder_behind_a_link_that_leads_out_is_a_problem() {
    let root = folder(&["out/a.sarif", "in/x"]);
    let inside = root.path().join("in");
    std::os::unix::fs::symlink("../out", inside.join("r")).expect("a link");
    let taken = taken("r/*.sarif", &inside);
    assert!(taken[0].starts_with("! r it leads out"), "{taken:?}");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_is_followed_reached_otherwise_or_a_problem() {
    let root = folder(&["r/x/a.sarif", "other/b.sarif"]);
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, root.path().join(name)).expect("a link");
    };
    link("x", "r/same");
    link(".", "r/circle");
    link("../other", "r/other");
    let expected = ["r/other/b.sarif", "r/same/a.sarif", "r/x/a.sarif"];
    assert_eq!(taken("r/*/*.sarif", root.path()), expected);
    let taken = taken("r/**/*.sarif", root.path());
    assert_eq!(taken[0], "r/x/a.sarif");
    assert!(taken[1].starts_with("! r/other"), "{taken:?}");
    assert_eq!(taken.len(), 2);
}

proptest::proptest! {
    #[test]
    fn no_pattern_ends_in_a_panic(pattern in "[a-c*?{},!/.\\\\\\[\\]\\-\u{0}é]{0,16}") {
        let root = folder(&["a/b.c", "c"]);
        files(&pattern, root.path());
    }
}

#[test]
fn too_many_matches_are_said() {
    let names: Vec<String> = (0..=MOST_FILES)
        .map(|number| format!("{number}.sarif"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let root = folder(&names);
    let problems = taken("*.sarif", root.path())
        .into_iter()
        .filter(|taken| taken.starts_with('!'));
    assert_eq!(problems.count(), 1);
}
