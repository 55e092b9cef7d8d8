//! Policy documents as kube-apiserver reads them: bytes in, values with their lines out.
//!
//! The apiserver reads a document that begins with `{` as JSON and anything else as YAML 1.1 with
//! `sigs.k8s.io/yaml`, which keeps the first document of a stream and turns it into JSON. Not
//! responsible for: what the fields mean (`decode.rs`), what a policy may hold (`validate.rs`).

mod characters;
mod directive;
mod json;
mod nodes;
mod scalar;
mod scalar_text;
mod scanner;
#[cfg(test)]
mod tests;
mod value;
mod yaml;

pub(super) use value::{
    DocumentData, DocumentMember, DocumentValue, PolicyDocument, SyntaxProblem,
};

/// Reads a document.
///
/// # Errors
/// Fails if it is not valid JSON or YAML, or cannot be expressed as JSON.
pub(super) fn read_document(bytes: &[u8]) -> Result<PolicyDocument, SyntaxProblem> {
    if is_json(bytes) {
        let root = json::read_json(bytes)?;
        return Ok(PolicyDocument {
            root,
            yaml: false,
            repeated: Vec::new(),
        });
    }
    let (root, repeated) = yaml::read_yaml(bytes)?;
    Ok(PolicyDocument {
        root,
        yaml: true,
        repeated,
    })
}

/// Whether the first character that is not white space is `{` (apimachinery, `IsJSONBuffer`).
fn is_json(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default())
            .unwrap_or_default(),
    };
    valid.trim_start().starts_with('{')
}
