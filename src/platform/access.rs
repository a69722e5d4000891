//! Status and endpoint to known or unknown.
