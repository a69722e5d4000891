//! A bucket in memory for tests, with `object_store`'s own reading of conditions behind it, and
//! everything that can go wrong on the way: requests that fail, answers that are lost, others in between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::super::sign::Signer;
use super::super::torture::ORIGIN;
use super::super::verify::{Verification, VerifyOptions};
use super::super::waiting::Waiting;
use super::copy::Copy;
use super::objects::{Created, Listing, Objects};
use super::remote::Remote;
use super::store::BucketStore;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    /// It never arrives.
    Failed,
    /// It is done, and the answer is lost.
    Lost,
}

type Fates = Box<dyn FnMut(usize, &str, &str) -> Fate + Send>;

pub(super) struct Memory {
    remote: Remote,
    store: Arc<InMemory>,
    waiting: Waiting,
    /// What was asked, in order: the kind of request and the name.
    log: Mutex<Vec<(&'static str, String)>>,
    fates: Mutex<Option<Fates>>,
    /// A server that does not know conditions.
    ignores_conditions: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self::on(Arc::new(InMemory::new()))
    }
}

impl Memory {
    /// Another client of the same bucket.
    pub(super) fn on(store: Arc<InMemory>) -> Self {
        Self {
            remote: Remote::over(Arc::clone(&store) as Arc<dyn ObjectStore>, "app/ledger").unwrap(),
            store,
            waiting: Waiting::new().unwrap(),
            log: Mutex::default(),
            fates: Mutex::default(),
            ignores_conditions: false,
        }
    }

    pub(super) fn other(&self) -> Self {
        Self::on(Arc::clone(&self.store))
    }

    pub(super) fn that_ignores_conditions() -> Self {
        Self {
            ignores_conditions: true,
            ..Self::default()
        }
    }

    /// Decides about each request by its number, kind and name.
    pub(super) fn with(
        self,
        fates: impl FnMut(usize, &str, &str) -> Fate + Send + 'static,
    ) -> Self {
        *self.fates.lock().unwrap() = Some(Box::new(fates));
        self
    }

    pub(super) fn requests(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    pub(super) fn asked(&self, kind: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(asked, _)| *asked == kind).count()
    }

    fn fate(&self, kind: &'static str, path: &str) -> Fate {
        let number = {
            let mut log = self.log.lock().unwrap();
            log.push((kind, path.to_owned()));
            log.len() - 1
        };
        let mut fates = self.fates.lock().unwrap().take();
        let fate = fates
            .as_mut()
            .map_or(Fate::Answered, |fates| fates(number, kind, path));
        *self.fates.lock().unwrap() = fates;
        fate
    }

    fn answer<T>(
        &self,
        kind: &'static str,
        path: &str,
        ask: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let fate = self.fate(kind, path);
        if fate == Fate::Failed {
            anyhow::bail!("the line is cut");
        }
        let answer = ask();
        if fate == Fate::Lost {
            anyhow::bail!("the answer was lost");
        }
        answer
    }

    /// Every object of the bucket with its bytes.
    pub(super) fn all(&self) -> BTreeMap<String, Vec<u8>> {
        fn below(objects: &dyn Objects, folder: &str, found: &mut BTreeMap<String, Vec<u8>>) {
            let listing = objects.list(folder).unwrap();
            let at = |name: &String| match folder {
                "" => name.clone(),
                folder => format!("{folder}/{name}"),
            };
            for path in listing.objects.iter().map(at) {
                let bytes = objects.read(&path).unwrap().unwrap();
                found.insert(path, bytes);
            }
            for path in listing.folders.iter().map(at) {
                below(objects, &path, found);
            }
        }
        let mut found = BTreeMap::new();
        below(&self.remote, "", &mut found);
        found
    }

    /// What whoever owns the bucket can do: other bytes, or none.
    pub(super) fn tamper(&self, path: &str, bytes: Option<&[u8]>) {
        let path = object_store::path::Path::parse(format!("app/ledger/{path}")).unwrap();
        let waiting = &self.waiting;
        match bytes {
            Some(bytes) => {
                let put = self.store.put(&path, bytes.to_vec().into());
                waiting.run(put).unwrap().unwrap();
            }
            None => waiting.run(self.store.delete(&path)).unwrap().unwrap(),
        }
    }

    /// A bucket with the same objects that somebody can change without changing this one.
    pub(super) fn twin(&self) -> Self {
        Self::on(Arc::new(self.store.fork()))
    }

    pub(super) fn verify(&self) -> Verification {
        Copy::of(&self.remote)
            .unwrap()
            .verification("s3://bucket/app/ledger", &VerifyOptions::default())
    }

    /// The same by requests whose fate is decided here.
    pub(super) fn verify_here(&self) -> Verification {
        Copy::of(self)
            .unwrap()
            .verification("s3://bucket/app/ledger", &VerifyOptions::default())
    }
}

/// A store over it that does not pause.
pub(super) fn store(memory: &Arc<Memory>, signer: Option<Signer>) -> BucketStore {
    let objects: Arc<dyn Objects> = Arc::clone(memory) as Arc<dyn Objects>;
    let mut store = BucketStore::over(objects, "s3://bucket/app/ledger", Some(ORIGIN), signer);
    store.patience.pause = std::time::Duration::ZERO;
    store
}

impl Objects for Memory {
    fn create(&self, path: &str, bytes: &[u8]) -> anyhow::Result<Created> {
        self.answer("create", path, || {
            if self.ignores_conditions {
                self.tamper(path, Some(bytes));
                return Ok(Created::Now);
            }
            self.remote.create(path, bytes)
        })
    }

    fn read(&self, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        self.answer("read", path, || self.remote.read(path))
    }

    fn list(&self, folder: &str) -> anyhow::Result<Listing> {
        self.answer("list", folder, || self.remote.list(folder))
    }
}
