//! The append-only log of records: leaves, Merkle tiles, signed checkpoints,
//! and stores behind one small interface. This room does not know controls,
//! verdicts or platforms; a record is canonical JSON to it.
