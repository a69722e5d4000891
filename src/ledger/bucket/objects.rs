//! The few things that a ledger asks of a bucket: to create what is not there, to read, and to list.
//! Nothing is ever replaced or removed, so there is no word for it here. Names are relative to the ledger.

use anyhow::{Context as _, bail, ensure};

/// Objects whose name is a number lie three levels deep, three digits each.
const LEVELS: usize = 3;
/// Records that the names have room for.
pub(super) const MOST_RECORDS: u64 = 1_000_000_000;
/// Tries for one object of which nobody knows whether it is there.
const TRIES: usize = 3;

/// Operations below one place in a bucket.
pub(super) trait Objects: Send + Sync {
    /// Creates the object unless it is there.
    fn create(&self, path: &str, bytes: &[u8]) -> anyhow::Result<Created>;
    /// The object's bytes; `None` when there is no such object.
    fn read(&self, path: &str) -> anyhow::Result<Option<Vec<u8>>>;
    /// The names directly below a folder; none if it is not there.
    fn list(&self, folder: &str) -> anyhow::Result<Listing>;

    /// The same for several, in any order.
    fn create_all(&self, objects: &[(String, Vec<u8>)]) -> Vec<anyhow::Result<Created>> {
        objects
            .iter()
            .map(|(path, bytes)| self.create(path, bytes))
            .collect()
    }

    /// The same for several.
    fn read_all(&self, paths: &[String]) -> anyhow::Result<Vec<Option<Vec<u8>>>> {
        paths.iter().map(|path| self.read(path)).collect()
    }

    /// The same for several.
    fn list_all(&self, folders: &[String]) -> anyhow::Result<Vec<Listing>> {
        folders.iter().map(|folder| self.list(folder)).collect()
    }
}

/// What a server said to a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Created {
    Now,
    /// It was there, or is being made by somebody else at this moment.
    Before,
}

/// Last parts of names, in any order.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) folders: Vec<String>,
    pub(super) objects: Vec<String>,
}

/// Whether the object is there with these bytes; `None` when it is not there.
///
/// # Errors
/// If it holds others.
pub(super) fn holds(objects: &dyn Objects, path: &str, bytes: &[u8]) -> anyhow::Result<Option<()>> {
    let Some(found) = objects.read(path)? else {
        return Ok(None);
    };
    ensure!(
        found == bytes,
        "`{path}` is there with other bytes than the records give; somebody put it there, so nothing is built on it; run `ccgate ledger verify`"
    );
    Ok(Some(()))
}

/// Sees to it that these objects are there, whoever made them.
///
/// # Errors
/// If one is there with other bytes, or if it does not become known whether it is.
pub(super) fn put(objects: &dyn Objects, wanted: Vec<(String, Vec<u8>)>) -> anyhow::Result<()> {
    let mut left = wanted;
    let mut why = None;
    for _ in 0..TRIES {
        let answers = objects.create_all(&left);
        let mut again = Vec::new();
        for ((path, bytes), answer) in left.into_iter().zip(answers) {
            match answer {
                Ok(Created::Now) => continue,
                // Said of a creation under way as well, and of our own whose answer was lost.
                Ok(Created::Before) => {
                    if holds(objects, &path, &bytes)?.is_some() {
                        continue;
                    }
                }
                Err(error) => why = Some(error),
            }
            again.push((path, bytes));
        }
        if again.is_empty() {
            return Ok(());
        }
        left = again;
    }
    let path = left.first().map_or("", |(path, _)| path.as_str());
    let told = format!("`{path}` could not be written");
    Err(match why {
        Some(error) => error.context(told),
        None => {
            anyhow::anyhow!("{told}: the server says that it is there, and then that it is not")
        }
    })
}

/// `KIND/AAA/BBB/CCC`.
pub(super) fn numbered(kind: &str, number: u64) -> String {
    format!(
        "{kind}/{:03}/{:03}/{:03}",
        number / 1_000_000,
        number / 1000 % 1000,
        number % 1000
    )
}

/// The number in such a name, if that is what it is.
pub(super) fn number_of(kind: &str, path: &str) -> Option<u64> {
    let digits: String = path
        .strip_prefix(kind)?
        .strip_prefix('/')?
        .split('/')
        .collect();
    let number = digits.parse().ok()?;
    (path == numbered(kind, number)).then_some(number)
}

/// The largest number of each kind, in as many listings as there are levels.
pub(super) fn newest<const N: usize>(
    objects: &dyn Objects,
    kinds: [&str; N],
) -> anyhow::Result<[Option<u64>; N]> {
    let mut folders = kinds.map(|kind| Some(kind.to_owned()));
    for level in 1..=LEVELS {
        let asked: Vec<String> = folders.iter().flatten().cloned().collect();
        let mut listings = objects.list_all(&asked)?.into_iter();
        for folder in &mut folders {
            let Some(path) = folder else { continue };
            let listing = listings.next().context("a listing is missing")?;
            *folder = names(listing, level)
                .into_iter()
                .max()
                .map(|name| format!("{path}/{name:03}"));
        }
    }
    let mut found = [None; N];
    for ((found, kind), path) in found.iter_mut().zip(kinds).zip(&folders) {
        *found = path.as_ref().and_then(|path| number_of(kind, path));
    }
    Ok(found)
}

/// The numbers of a kind from the last one that is not above `range.start`, in order, to the last below `range.end`.
pub(super) fn numbers(
    objects: &dyn Objects,
    kind: &str,
    range: std::ops::Range<u64>,
) -> anyhow::Result<Vec<u64>> {
    let mut found = Vec::new();
    let Some(first) = floor(objects, kind, range.start)? else {
        bail!(
            "`{}` and those before it are missing",
            numbered(kind, range.start)
        );
    };
    for thousand in first / 1000..range.end.div_ceil(1000) {
        let folder = numbered(kind, thousand * 1000);
        let folder = folder.strip_suffix("/000").unwrap_or(&folder);
        found.extend(
            names(objects.list(folder)?, LEVELS)
                .into_iter()
                .map(|name| thousand * 1000 + name),
        );
    }
    found.retain(|number| (first..range.end).contains(number));
    found.sort_unstable();
    Ok(found)
}

/// The largest number of a kind that is not above `most`.
fn floor(objects: &dyn Objects, kind: &str, most: u64) -> anyhow::Result<Option<u64>> {
    let bound = [most / 1_000_000, most / 1000 % 1000, most % 1000];
    let found = descend(objects, kind, Some(&bound), 1)?;
    Ok(found.and_then(|path| number_of(kind, &path)))
}

/// The last name below the folder that is not above the bound, level by level.
fn descend(
    objects: &dyn Objects,
    folder: &str,
    bound: Option<&[u64]>,
    level: usize,
) -> anyhow::Result<Option<String>> {
    let mut below = names(objects.list(folder)?, level);
    below.sort_unstable_by(|one, other| other.cmp(one));
    let bound = bound.and_then(<[u64]>::split_first);
    for name in below {
        let rest = match bound {
            Some((most, _)) if name > *most => continue,
            Some((most, rest)) if name == *most => Some(rest),
            _ => None,
        };
        let path = format!("{folder}/{name:03}");
        if level == LEVELS {
            return Ok(Some(path));
        }
        if let Some(found) = descend(objects, &path, rest, level + 1)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The names that are three digits. Others are strangers, which a verification reports.
fn names(listing: Listing, level: usize) -> Vec<u64> {
    let listed = if level == LEVELS {
        listing.objects
    } else {
        listing.folders
    };
    listed
        .iter()
        .filter(|name| name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|name| name.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Memory;
    use super::*;

    fn holding(numbers: &[u64]) -> Memory {
        let memory = Memory::default();
        for number in numbers {
            memory.create(&numbered("seq", *number), b"x").unwrap();
        }
        memory
    }

    #[test]
    fn a_name_is_one_number_and_a_number_one_name() {
        for number in [0, 7, 999, 1000, 1_234_567, MOST_RECORDS - 1] {
            assert_eq!(number_of("seq", &numbered("seq", number)), Some(number));
        }
        for stranger in [
            "seq/0/0/0",
            "seq/000/000",
            "seq/000/000/0000",
            "seq/000/000/+01",
            "x/000/000/001",
        ] {
            assert_eq!(number_of("seq", stranger), None, "{stranger}");
        }
    }

    #[test]
    fn the_newest_of_two_kinds_is_found_in_three_listings_each() {
        let memory = holding(&[0, 4, 999, 1000, 2_000_001]);
        memory.create(&numbered("checkpoint", 4), b"x").unwrap();
        let found = newest(&memory, ["seq", "checkpoint", "none"]).unwrap();
        assert_eq!(found, [Some(2_000_001), Some(4), None]);
        assert_eq!(memory.asked("list"), 3 + 3 + 1);
    }

    #[test]
    fn a_stretch_begins_with_what_reaches_into_it_from_before() {
        let memory = holding(&[0, 3, 998, 1002, 1003, 1004, 2_000_000]);
        let stretch = |range| numbers(&memory, "seq", range).unwrap();
        assert_eq!(stretch(1000..1004), [998, 1002, 1003]);
        assert_eq!(stretch(1002..1003), [1002]);
        assert_eq!(stretch(3..4), [3]);
        assert_eq!(stretch(1_999_999..2_000_001), [1004, 2_000_000]);
        assert!(numbers(&holding(&[5]), "seq", 3..9).is_err());
    }
}
