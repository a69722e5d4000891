//! A bucket behind a server, by the crate `object_store`. What a server says of a failure is cut
//! down to its code: whole answers repeat what was sent, session tokens among it.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, ensure};
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectStore, PutMode, PutOptions, PutPayload};

use super::super::waiting::Waiting;
use super::connect::connect;
use super::objects::{Created, Listing, Objects};
use super::place::BucketPlace;

/// Largest object that is read.
const LARGEST: u64 = 1 << 30;
/// Requests that run beside each other.
const WIDTH: usize = 16;
/// Longest text of somebody else in a message.
const LONGEST: usize = 300;

pub(super) struct Remote {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    waiting: Waiting,
}

impl Remote {
    pub(super) fn new(place: &BucketPlace) -> anyhow::Result<Self> {
        Self::over(Arc::new(connect(place)?), place.prefix())
    }

    pub(super) fn over(store: Arc<dyn ObjectStore>, prefix: &str) -> anyhow::Result<Self> {
        Ok(Self {
            store,
            prefix: prefix.to_owned(),
            waiting: Waiting::new()?,
        })
    }

    fn at(&self, path: &str) -> anyhow::Result<Path> {
        Path::parse(format!("{}/{path}", self.prefix))
            .ok()
            .with_context(|| format!("`{}` can be no object's name", path.escape_debug()))
    }
}

impl Objects for Remote {
    fn create(&self, path: &str, bytes: &[u8]) -> anyhow::Result<Created> {
        self.waiting.run(create(
            Arc::clone(&self.store),
            self.at(path)?,
            bytes.to_vec(),
        ))?
    }

    fn read(&self, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        self.waiting
            .run(read(Arc::clone(&self.store), self.at(path)?))?
    }

    fn list(&self, folder: &str) -> anyhow::Result<Listing> {
        self.waiting
            .run(list(Arc::clone(&self.store), self.at(folder)?))?
    }

    fn create_all(&self, objects: &[(String, Vec<u8>)]) -> Vec<anyhow::Result<Created>> {
        let asked: anyhow::Result<Vec<_>> = objects
            .iter()
            .map(|(path, bytes)| {
                Ok(create(
                    Arc::clone(&self.store),
                    self.at(path)?,
                    bytes.clone(),
                ))
            })
            .collect();
        match asked.and_then(|asked| self.waiting.run_all(asked, WIDTH)) {
            Ok(answers) => answers,
            Err(error) => objects.iter().map(|_| Err(anyhow!("{error:#}"))).collect(),
        }
    }

    fn read_all(&self, paths: &[String]) -> anyhow::Result<Vec<Option<Vec<u8>>>> {
        let asked: anyhow::Result<Vec<_>> = paths
            .iter()
            .map(|path| Ok(read(Arc::clone(&self.store), self.at(path)?)))
            .collect();
        self.waiting.run_all(asked?, WIDTH)?.into_iter().collect()
    }

    fn list_all(&self, folders: &[String]) -> anyhow::Result<Vec<Listing>> {
        let asked: anyhow::Result<Vec<_>> = folders
            .iter()
            .map(|folder| Ok(list(Arc::clone(&self.store), self.at(folder)?)))
            .collect();
        self.waiting.run_all(asked?, WIDTH)?.into_iter().collect()
    }
}

async fn create(
    store: Arc<dyn ObjectStore>,
    path: Path,
    bytes: Vec<u8>,
) -> anyhow::Result<Created> {
    let options = PutOptions::from(PutMode::Create);
    match store
        .put_opts(&path, PutPayload::from(bytes), options)
        .await
    {
        Ok(_) => Ok(Created::Now),
        Err(Error::AlreadyExists { .. }) => Ok(Created::Before),
        Err(error) => Err(failed("created", &path, &error)),
    }
}

async fn read(store: Arc<dyn ObjectStore>, path: Path) -> anyhow::Result<Option<Vec<u8>>> {
    let found = match store.get_opts(&path, GetOptions::default()).await {
        Ok(found) => found,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(failed("read", &path, &error)),
    };
    ensure!(
        found.meta.size <= LARGEST,
        "the object `{path}` is larger than any of a ledger"
    );
    let bytes = found.bytes().await;
    let bytes = bytes.map_err(|error| failed("read", &path, &error))?;
    Ok(Some(bytes.to_vec()))
}

async fn list(store: Arc<dyn ObjectStore>, folder: Path) -> anyhow::Result<Listing> {
    let listed = store.list_with_delimiter(Some(&folder)).await;
    let listed = listed.map_err(|error| failed("listed", &folder, &error))?;
    let last = |path: &Path| {
        path.filename()
            .map(str::to_owned)
            .with_context(|| format!("the server lists a name that is none below `{folder}`"))
    };
    Ok(Listing {
        folders: listed
            .common_prefixes
            .iter()
            .map(last)
            .collect::<Result<_, _>>()?,
        objects: listed
            .objects
            .iter()
            .map(|object| last(&object.location))
            .collect::<Result<_, _>>()?,
    })
}

fn failed(what: &str, path: &Path, error: &Error) -> anyhow::Error {
    anyhow!("`{path}` cannot be {what} in the bucket: {}", said(error))
}

/// What is worth telling of a failure, without anything that could be a secret.
fn said(error: &Error) -> String {
    let means = match error {
        Error::NotFound { .. } => "there is no such bucket or object",
        Error::PermissionDenied { .. } => "the credentials may not do that",
        Error::Unauthenticated { .. } => "the server does not know the credentials",
        _ => "the server did not do it",
    };
    let text = error.to_string();
    // Behind the status comes the answer, as it was sent.
    let (head, body) = match text.split_once("status code: ") {
        Some((_, rest)) => {
            let status: String = rest.chars().take_while(char::is_ascii_digit).collect();
            (format!("status {status}"), rest)
        }
        None => (
            match text.split_once("error response") {
                Some(_) => String::new(),
                None => text.split('<').next().unwrap_or_default().to_owned(),
            },
            text.as_str(),
        ),
    };
    let code = body
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"))
        .map(|(code, _)| code)
        .filter(|code| code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let told: Vec<&str> = [head.as_str(), code.unwrap_or_default()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let told: String = told.join(", ").chars().take(LONGEST).collect();
    if told.is_empty() {
        means.to_owned()
    } else {
        format!("{means} ({})", told.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic {
            store: "S3",
            source: text.to_owned().into(),
        }
    }

    #[test]
    fn an_answer_that_repeats_the_request_is_not_told_on() {
        let body = "<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>x-amz-security-token:hunter2\n</CanonicalRequest></Error>";
        for text in [
            format!(
                "Error performing PUT https://s3.example/b/x in 1s - Server returned non-2xx status code: 403 Forbidden: {body}"
            ),
            format!("Server returned error response: {body}"),
            body.to_owned(),
        ] {
            let told = said(&generic(&text));
            assert!(!told.contains("hunter2"), "{told}");
            assert!(told.contains("SignatureDoesNotMatch"), "{told}");
        }
        let plain = said(&generic(
            "Server returned non-2xx status code: 500: hunter2",
        ));
        assert_eq!(plain, "the server did not do it (status 500)");
        let lost = said(&generic(
            "error sending request: connection refused\u{1b}[2J",
        ));
        assert!(
            lost.contains("connection refused") && !lost.contains('\u{1b}'),
            "{lost}"
        );
    }
}
