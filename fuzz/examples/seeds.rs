//! Writes a sample of each format into the corpus of its target.

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    for (target, text) in ccgate_fuzz::seeds() {
        for corpus in [target, "by-content"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("corpus")
                .join(corpus);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("sample-{target}")), text)?;
        }
    }
    Ok(())
}
