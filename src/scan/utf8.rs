//! Whether bytes are UTF-8, block by block.

/// Whether the bytes so far are UTF-8, across the borders of blocks.
#[derive(Default)]
pub(super) struct Utf8 {
    /// A character that the last block cut.
    cut: Vec<u8>,
}

impl Utf8 {
    /// Takes in the next bytes; the place in them where they are none. The last ones may not
    /// end within a character.
    pub(super) fn check(&mut self, bytes: &[u8], last: bool) -> Result<(), usize> {
        let mut rest = bytes;
        while !self.cut.is_empty() {
            let Some((next, after)) = rest.split_first() else {
                break;
            };
            self.cut.push(*next);
            rest = after;
            match std::str::from_utf8(&self.cut) {
                Ok(_) => self.cut.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(bytes.len() - rest.len() - 1),
            }
        }
        // The vectorised check tells no place, and a cut character is no text to it.
        let (whole, end) = rest.split_at(rest.len() - cut_character(rest));
        if simdutf8::basic::from_utf8(whole).is_err() {
            let valid =
                std::str::from_utf8(whole).map_or_else(|error| error.valid_up_to(), str::len);
            return Err(bytes.len() - rest.len() + valid);
        }
        self.cut.extend_from_slice(end);
        if last && !self.cut.is_empty() {
            return Err(bytes.len().saturating_sub(self.cut.len()));
        }
        Ok(())
    }
}

/// Length of a character at the end that lacks bytes, at most 3.
fn cut_character(bytes: &[u8]) -> usize {
    let lacks = |length: &usize| {
        let lead = bytes
            .len()
            .checked_sub(*length)
            .and_then(|at| bytes.get(at));
        match lead {
            Some(0xc0..=0xdf) => *length < 2,
            Some(0xe0..=0xef) => *length < 3,
            Some(0xf0..) => *length < 4,
            Some(_) | None => false,
        }
    };
    (1..=3).find(lacks).unwrap_or(0)
}
