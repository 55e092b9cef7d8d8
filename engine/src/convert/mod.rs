//! stub
use crate::{Engine, Result};
/// stub
#[derive(Debug)]
pub struct Converted {}
/// stub
pub async fn convert(_engine: &Engine, _to: &str) -> Result<Converted> { Ok(Converted {}) }
