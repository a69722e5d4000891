//! Every statement of a ledger, for those who derive something from all of them. What is
//! handed out is what the checkpoint stands for: the root is reckoned again.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::merkle::{Tree, leaf_hash};
use super::{Checkpoint, Leaf, Place, open_any};

/// Records that are read at once.
const AT_ONCE: u64 = 1024;

/// The checkpoint of the ledger at that place, and its statements in order.
///
/// # Errors
/// There is none, a record cannot be read, or the records are not those of the checkpoint.
/// Signatures are not looked at here.
pub fn statements_at(place: &Place) -> anyhow::Result<(Checkpoint, Vec<Value>)> {
    let (store, checkpoint) = open_any(place)?;
    let mut tree = Tree::default();
    let mut statements = Vec::new();
    while tree.size() < checkpoint.size {
        let begin = tree.size();
        let leaves = store
            .read(begin..checkpoint.size.min(begin.saturating_add(AT_ONCE)))
            .context("the ledger cannot be read; run `ccgate ledger verify`")?;
        ensure!(
            !leaves.is_empty(),
            "the ledger ends before its checkpoint does; run `ccgate ledger verify`"
        );
        for bytes in leaves {
            let number = tree.size();
            let leaf = Leaf::parse(&bytes).with_context(|| format!("entry {number}"))?;
            let statement = leaf.told(|digest| store.read_blob(digest));
            tree.push(leaf_hash(&bytes));
            statements.push(statement.with_context(|| format!("entry {number}"))?);
        }
    }
    ensure!(
        tree.root() == checkpoint.root,
        "the records are not those of the checkpoint; run `ccgate ledger verify`"
    );
    Ok((checkpoint, statements))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::open;
    use super::*;

    fn leaf(number: u64) -> Leaf {
        Leaf::new(&json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"gitCommit": format!("{number:040x}")}}],
            "predicateType": "https://ccgate.dev/change-record/v1",
            "predicate": {"number": number},
        }))
        .unwrap()
    }

    #[test]
    fn all_are_read_in_order_and_a_record_that_was_exchanged_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Folder(folder.path().to_owned());
        assert!(statements_at(&place).is_err(), "there is none");
        let mut store = open(&place, "ccgate/github/acme/app", None).unwrap();
        let leaves: Vec<Leaf> = (0..300).map(leaf).collect();
        store.append(&leaves).unwrap();
        let (checkpoint, statements) = statements_at(&place).unwrap();
        assert_eq!(checkpoint.size, 300);
        assert_eq!(statements[299]["predicate"]["number"], 299);

        // The bundle of another ledger of the same size.
        let other = tempfile::tempdir().unwrap();
        let second = Place::Folder(other.path().to_owned());
        let mut store = open(&second, "ccgate/github/acme/app", None).unwrap();
        let leaves: Vec<Leaf> = (1000..1300).map(leaf).collect();
        store.append(&leaves).unwrap();
        let bundle = "log/tile/entries/000";
        std::fs::copy(other.path().join(bundle), folder.path().join(bundle)).unwrap();
        let error = statements_at(&place).unwrap_err().to_string();
        assert!(error.contains("not those of the checkpoint"), "{error}");
    }

    #[test]
    fn what_is_too_large_for_a_leaf_is_read_from_its_blob_which_has_to_fit() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Folder(folder.path().to_owned());
        let large = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"gitCommit": "a".repeat(40)}}],
            "predicateType": "https://ccgate.dev/change-record/v1",
            "predicate": {"text": "x".repeat(80_000)},
        });
        let mut store = open(&place, "ccgate/github/acme/app", None).unwrap();
        store.append(&[Leaf::new(&large).unwrap()]).unwrap();
        assert_eq!(statements_at(&place).unwrap().1, [large]);
        let blobs = std::fs::read_dir(folder.path().join("blobs")).unwrap();
        let blob = blobs.last().unwrap().unwrap().path();
        std::fs::write(&blob, "{}").unwrap();
        let error = format!("{:#}", statements_at(&place).unwrap_err());
        assert!(error.contains("was altered"), "{error}");
        std::fs::remove_file(&blob).unwrap();
        let error = format!("{:#}", statements_at(&place).unwrap_err());
        assert!(error.contains("is missing"), "{error}");
    }
}
