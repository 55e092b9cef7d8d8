//! What a request is about: a URI with its method, or with the verb of an event, in; verb, resource
//! or path out, as the apiserver derives them.
//!
//! The rules are those of `NewRequestInfo` in
//! `staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`, Kubernetes 1.36, with what it
//! calls: `net/url`, the list options of `meta/v1`, the selectors of `pkg/fields` and `pkg/labels`.
//! Authorization and the audit policy decide by these attributes, and not by an event's `objectRef`,
//! which the apiserver completes from bodies later.
//!
//! Pure, and nothing here fails: an absent part is empty, as in Go. Not responsible for: whether a
//! resource exists, what a user may do.

mod field_selector;
mod info;
mod label_selector;
mod list_options;
mod query;
#[cfg(test)]
mod tests;
mod uri;

pub use info::{RequestInfo, ResourceInfo};
pub(crate) use query::{joined_param, params};
pub use uri::RequestUri;
