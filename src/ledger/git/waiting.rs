//! Receipts on the server, in branches below `ccgate/pending/`: what waits is fetched with the tip,
//! left, counted, and taken away once it is sealed. Nothing here says whose a receipt is.

use super::super::remote::overlay::{Changes, Overlay};
use super::super::remote::receipts::{LARGEST, MOST, Receipt, Waiting};
use super::mirror::{Mirror, PENDING, WAITING};
use super::tree::Tree;

/// The two files of a receipt.
const BODY: &str = "receipt.json";
const SIGNATURE: &str = "receipt.sig";

impl Mirror {
    /// The receipts that were fetched with this tip. What has not their form is passed over:
    /// anybody who may push branches could have put it there.
    pub(super) fn fetched_receipts(&self, tip: &Overlay<Tree>) -> anyhow::Result<Vec<Waiting>> {
        if !self.with_receipts {
            return Ok(Vec::new());
        }
        let most = format!("--count={MOST}");
        let format = "--format=%(refname) %(objectname)";
        let listed = self
            .git()
            .must(&["for-each-ref", &most, format, WAITING], Vec::new())?;
        let mut waiting = Vec::new();
        for line in String::from_utf8_lossy(&listed).lines() {
            let Some((name, commit)) = line.split_once(' ') else {
                continue;
            };
            let Some(id) = name.strip_prefix(WAITING) else {
                continue;
            };
            if let Some([body, signature]) = self.receipt_files(commit)? {
                waiting.push(Waiting {
                    id: id.to_owned(),
                    version: commit.to_owned(),
                    body: tip.base().object(&body)?,
                    signature: tip.base().object(&signature)?,
                });
            }
        }
        Ok(waiting)
    }

    /// The names of both objects of a receipt, if the commit holds exactly them and they are small.
    fn receipt_files(&self, commit: &str) -> anyhow::Result<Option<[String; 2]>> {
        let listed = self
            .git()
            .run(&["ls-tree", "-l", "-z", "--full-tree", commit], Vec::new())?;
        let listed = String::from_utf8_lossy(&listed.output).into_owned();
        let entries: Vec<&str> = listed
            .split('\0')
            .filter(|entry| !entry.is_empty())
            .collect();
        let object = |entry: &str, name: &str| {
            let (about, path) = entry.split_once('\t')?;
            let about: Vec<&str> = about.split_whitespace().collect();
            let ["100644", "blob", object, size] = about.as_slice() else {
                return None;
            };
            let small = size.parse::<u64>().is_ok_and(|size| size <= LARGEST);
            (path == name && small).then(|| (*object).to_owned())
        };
        let [body, signature] = entries.as_slice() else {
            return Ok(None);
        };
        Ok(object(body, BODY)
            .zip(object(signature, SIGNATURE))
            .map(<[String; 2]>::from))
    }

    /// Puts a receipt on the server. It need not be taken: then the record waits for its own turn.
    pub(super) fn push_receipt(&mut self, receipt: &Receipt) -> anyhow::Result<()> {
        let files = Changes::from([
            (BODY.to_owned(), Some(receipt.body.clone())),
            (
                SIGNATURE.to_owned(),
                Some(receipt.signature.clone().into_bytes()),
            ),
        ]);
        let commit = self.import(false, &files, "A record that waits to be sealed")?;
        let change = format!("{commit}:{PENDING}{}", receipt.id);
        let address = self.place().address().as_str();
        self.git().run(
            &["push", "--porcelain", "--no-verify", "--", address, &change],
            Vec::new(),
        )?;
        Ok(())
    }

    /// Takes away receipts whose records are sealed, each only as it was seen. What is not taken
    /// away does no harm: a record is sealed once.
    pub(super) fn remove_receipts<'a>(&self, sealed: impl Iterator<Item = &'a Waiting>) {
        let mut leases = Vec::new();
        let mut removals = Vec::new();
        for Waiting { id, version, .. } in sealed {
            leases.push(format!("--force-with-lease={PENDING}{id}:{version}"));
            removals.push(format!(":{PENDING}{id}"));
        }
        if removals.is_empty() {
            return;
        }
        let address = self.place().address().as_str();
        let mut arguments = vec!["push", "--porcelain", "--no-verify"];
        arguments.extend(leases.iter().map(String::as_str));
        arguments.extend(["--", address]);
        arguments.extend(removals.iter().map(String::as_str));
        let _left_for_the_next_one = self.git().run(&arguments, Vec::new());
    }

    /// How many receipts wait on the server, of whichever ledger.
    pub(super) fn count_waiting(&self) -> anyhow::Result<usize> {
        let pattern = format!("{PENDING}*");
        let address = self.place().address().as_str();
        let listed = self.git().must(
            &["ls-remote", "--quiet", "--", address, &pattern],
            Vec::new(),
        )?;
        Ok(String::from_utf8_lossy(&listed).lines().count())
    }
}
