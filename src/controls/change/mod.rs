//! CHG: this change.
