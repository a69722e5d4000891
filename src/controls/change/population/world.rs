//! What really happened to a random change, in order. Knows no facts and no controls.

use fastrand::Rng;

/// What kind of account somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::controls::change) enum Kind {
    Person,
    Bot,
    /// Of a kind that nobody has heard of.
    Strange,
    /// The platform's own for commits made in its pages.
    Platform,
    /// An account that was deleted since.
    Gone,
    /// No account: an address in a commit.
    Nobody,
}

/// Everybody there is: index, kind and right to write.
pub(in crate::controls::change) const CAST: [(&str, Kind, bool); 10] = [
    ("ana", Kind::Person, true),
    ("bob", Kind::Person, true),
    ("carol", Kind::Person, true),
    ("dan", Kind::Person, true),
    ("rea", Kind::Person, false),
    ("helper[bot]", Kind::Bot, true),
    ("odd", Kind::Strange, true),
    ("web-flow", Kind::Platform, true),
    ("left", Kind::Gone, true),
    ("stranger", Kind::Nobody, false),
];

pub(in crate::controls::change) type Who = usize;

pub(in crate::controls::change) const WEB: Who = 7;
const GONE: Who = 8;
const NOBODY: Who = 9;

#[derive(Clone, Debug)]
pub(in crate::controls::change) struct Written {
    pub(in crate::controls::change) sha: String,
    pub(in crate::controls::change) author: Who,
    pub(in crate::controls::change) committer: Who,
    pub(in crate::controls::change) co_authors: Vec<Who>,
    pub(in crate::controls::change) merge: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::controls::change) enum How {
    /// New commits on top.
    Added,
    /// Other commits instead.
    Replaced,
    /// The same commits on another base, by force.
    Rebased,
    /// The target was merged in; the difference stays.
    Updated,
    /// By force back to where it was before the last move.
    Returned,
}

/// A move of the head.
#[derive(Clone, Debug)]
pub(in crate::controls::change) struct Moved {
    pub(in crate::controls::change) how: How,
    pub(in crate::controls::change) who: Who,
    pub(in crate::controls::change) at: i64,
    pub(in crate::controls::change) before: Head,
    pub(in crate::controls::change) after: Head,
}

/// A commit and the difference to the target that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::controls::change) struct Head {
    pub(in crate::controls::change) sha: String,
    pub(in crate::controls::change) difference: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::controls::change) enum Said {
    Yes,
    No,
    Words,
    /// A word that nobody has heard of.
    Odd,
}

#[derive(Clone, Debug)]
pub(in crate::controls::change) struct Opinion {
    pub(in crate::controls::change) who: Who,
    pub(in crate::controls::change) said: Said,
    pub(in crate::controls::change) at: i64,
    /// What the head was.
    pub(in crate::controls::change) on: Head,
    /// Moves of the head before it.
    pub(in crate::controls::change) after_moves: usize,
    /// Dismissed or withdrawn since.
    pub(in crate::controls::change) dismissed: bool,
}

/// One change, from its opening to now.
#[derive(Clone, Debug)]
pub(in crate::controls::change) struct World {
    pub(in crate::controls::change) gitlab: bool,
    pub(in crate::controls::change) opener: Who,
    pub(in crate::controls::change) opened_at: i64,
    pub(in crate::controls::change) commits: Vec<Written>,
    pub(in crate::controls::change) first: Head,
    pub(in crate::controls::change) moves: Vec<Moved>,
    pub(in crate::controls::change) opinions: Vec<Opinion>,
}

/// Mostly the first two, now and then anybody at all.
fn writer(rng: &mut Rng) -> Who {
    match rng.u32(0..40) {
        0 => NOBODY,
        1 => GONE,
        2 => 5,
        3 => 6,
        4..=7 => rng.usize(2..5),
        _ => rng.usize(0..2),
    }
}

fn reviewer(rng: &mut Rng) -> Who {
    match rng.u32(0..20) {
        0 => GONE,
        1 => 5,
        2 => 6,
        _ => rng.usize(0..5),
    }
}

impl World {
    pub(in crate::controls::change) fn random(rng: &mut Rng) -> Self {
        let mut world = Self {
            gitlab: rng.bool(),
            opener: if rng.u32(0..40) == 0 {
                GONE
            } else {
                rng.usize(0..2)
            },
            opened_at: 0,
            commits: Vec::new(),
            first: Head {
                sha: String::new(),
                difference: 0,
            },
            moves: Vec::new(),
            opinions: Vec::new(),
        };
        for _ in 0..rng.usize(1..4) {
            world.write(rng);
        }
        world.first = Head {
            sha: world.tip(),
            difference: 1,
        };
        let mut now = 0;
        let mut kept = vec![world.commits.clone()];
        for _ in 0..rng.usize(0..12) {
            // Often in the same second.
            now += rng.i64(0..3);
            match rng.u32(0..10) {
                0..=5 => world.speak(rng, now),
                6 => world.dismiss(rng),
                7..=9 => world.step(rng, now, &mut kept),
                _ => {}
            }
        }
        world
    }

    /// Where the head is now.
    pub(in crate::controls::change) fn head(&self) -> &Head {
        self.moves.last().map_or(&self.first, |moved| &moved.after)
    }

    fn tip(&self) -> String {
        self.commits
            .last()
            .map(|commit| commit.sha.clone())
            .unwrap_or_default()
    }

    fn write(&mut self, rng: &mut Rng) {
        let author = writer(rng);
        let committer = match rng.u32(0..6) {
            0 => WEB,
            1 => writer(rng),
            _ => author,
        };
        let co_authors = if rng.u32(0..6) == 0 {
            vec![writer(rng)]
        } else {
            Vec::new()
        };
        self.commits.push(Written {
            sha: format!("{:040x}", rng.u128(..)),
            author,
            committer,
            co_authors,
            merge: false,
        });
    }

    fn speak(&mut self, rng: &mut Rng, at: i64) {
        let said = match rng.u32(0..10) {
            0 => Said::No,
            1 | 2 => Said::Words,
            3 => Said::Odd,
            _ => Said::Yes,
        };
        self.opinions.push(Opinion {
            who: reviewer(rng),
            said,
            at,
            on: self.head().clone(),
            after_moves: self.moves.len(),
            dismissed: false,
        });
    }

    fn dismiss(&mut self, rng: &mut Rng) {
        if !self.opinions.is_empty() {
            let which = rng.usize(0..self.opinions.len());
            if self.opinions[which].said != Said::Words {
                self.opinions[which].dismissed = true;
            }
        }
    }

    fn step(&mut self, rng: &mut Rng, at: i64, kept: &mut Vec<Vec<Written>>) {
        let before = self.head().clone();
        let who = match rng.u32(0..30) {
            0 => GONE,
            1 => 5,
            2..=5 => rng.usize(2..4),
            _ => rng.usize(0..2),
        };
        let mut how = [
            How::Added,
            How::Added,
            How::Replaced,
            How::Rebased,
            How::Updated,
            How::Returned,
        ][rng.usize(0..6)];
        if how == How::Returned && self.moves.is_empty() {
            how = How::Added;
        }
        let mut difference = before.difference;
        match how {
            How::Added => {
                self.write(rng);
                difference = rng.u32(2..);
            }
            How::Replaced => {
                self.commits.clear();
                self.write(rng);
                difference = rng.u32(2..);
            }
            How::Rebased => {
                for commit in &mut self.commits {
                    commit.sha = format!("{:040x}", rng.u128(..));
                }
            }
            How::Updated => self.commits.push(Written {
                sha: format!("{:040x}", rng.u128(..)),
                author: who,
                committer: WEB,
                co_authors: Vec::new(),
                merge: true,
            }),
            How::Returned => {
                let last = self.moves.last().expect("there was a move");
                difference = last.before.difference;
                self.commits = kept[kept.len() - 2].clone();
            }
        }
        let after = Head {
            sha: self.tip(),
            difference,
        };
        self.moves.push(Moved {
            how,
            who,
            at,
            before,
            after,
        });
        kept.push(self.commits.clone());
    }
}
