//! The threat model points at tests by their names; one that was renamed points at nothing.

use std::fs;
use std::path::Path;

/// Everything that is written in Rust below the folder.
fn code_below(folder: &Path, code: &mut String) {
    for entry in fs::read_dir(folder).expect("a source folder is readable") {
        let path = entry.expect("an entry is readable").path();
        if path.is_dir() {
            code_below(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code.push_str(&fs::read_to_string(&path).expect("a source file is readable"));
        }
    }
}

/// Names of tests are sentences; keys of policies and facts have fewer words.
fn is_test_name(word: &str) -> bool {
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter == '_' || letter.is_ascii_digit();
    word.matches('_').count() > 3 && word.chars().all(plain)
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = fs::read_to_string(root.join("docs/threat-model.md")).expect("the threat model");
    let mut code = String::new();
    code_below(&root.join("src"), &mut code);
    code_below(&root.join("tests/it"), &mut code);
    let named: Vec<&str> = model.split('`').filter(|word| is_test_name(word)).collect();
    assert!(named.len() > 20, "the names were not found");
    let missing: Vec<&&str> = named
        .iter()
        .filter(|name| !code.contains(&format!("fn {name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for threat in 1..=17 {
        assert!(
            model.contains(&format!("| T{threat} ")),
            "T{threat} is missing"
        );
    }
}
