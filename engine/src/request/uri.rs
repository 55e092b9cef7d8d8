//! A request URI taken apart: its decoded path and its query, and from them the attributes.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::request::info::PathVerb;
use crate::request::info::RequestInfo;
use crate::request::info::ResourceInfo;
use crate::request::list_options::ListOptions;

/// A request URI. It owns the path if that had to be decoded; attributes borrow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestUri<'u> {
    path: Cow<'u, str>,
    query: &'u str,
}

impl<'u> RequestUri<'u> {
    /// The URI of a request line or of an event: a path, and perhaps a query. A malformed escape,
    /// with which a request never reaches an apiserver, stays as it is, and bytes that are not
    /// UTF-8 become U+FFFD.
    pub fn new(uri: &'u str) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        Self {
            path: percent_decode_str(path).decode_utf8_lossy(),
            query,
        }
    }

    /// The path: decoded once, and otherwise as it was sent.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The attributes of a request with this HTTP method, which is case-sensitive.
    pub fn with_method(&self, method: &str) -> RequestInfo<'_> {
        let Some((mut resource, path_verb)) = ResourceInfo::of_path(&self.path) else {
            return self.without_resource(Cow::Owned(method.to_ascii_lowercase()));
        };
        let verb = match path_verb {
            PathVerb::Watch => "watch",
            PathVerb::Proxy => "proxy",
            PathVerb::None => match method {
                "POST" => "create",
                "GET" | "HEAD" if resource.name.is_empty() => {
                    let options = ListOptions::parse(self.query);
                    resource.name = options.name.map(Cow::Owned).unwrap_or_default();
                    if options.watch { "watch" } else { "list" }
                }
                "GET" | "HEAD" => "get",
                "PUT" => "update",
                "PATCH" => "patch",
                "DELETE" if resource.name.is_empty() => "deletecollection",
                "DELETE" => "delete",
                _ => "",
            },
        };
        RequestInfo {
            verb: Cow::Borrowed(verb),
            path: &self.path,
            resource: Some(resource),
        }
    }

    /// The attributes of a request that is recorded with this verb: `list`, `create`, or the method
    /// in lower case for a path. The verb stays as it is.
    pub fn with_verb<'i>(&'i self, verb: &'i str) -> RequestInfo<'i> {
        let Some((mut resource, path_verb)) = ResourceInfo::of_path(&self.path) else {
            return self.without_resource(Cow::Borrowed(verb));
        };
        let can_select = resource.name.is_empty()
            && path_verb == PathVerb::None
            && matches!(verb, "list" | "watch")
            && !self.query.is_empty();
        if can_select {
            let options = ListOptions::parse(self.query);
            resource.name = options.name.map(Cow::Owned).unwrap_or_default();
        }
        RequestInfo {
            verb: Cow::Borrowed(verb),
            path: &self.path,
            resource: Some(resource),
        }
    }

    fn without_resource<'i>(&'i self, verb: Cow<'i, str>) -> RequestInfo<'i> {
        RequestInfo {
            verb,
            path: &self.path,
            resource: None,
        }
    }
}
