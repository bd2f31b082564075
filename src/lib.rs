//! skeleton
pub mod sandbox;
