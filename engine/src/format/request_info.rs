//! What a request is about, for formats that record a path instead of an `objectRef`: a resource in,
//! the members of the `objectRef` or the URI out.
//!
//! Not responsible for: the resource that a URI names (`request`), where a provider's record has the
//! path.

use crate::format::writer;
use crate::request::ResourceInfo;

/// Appends the members of the `objectRef`. As in Go, an empty text stands for an absent one.
pub(super) fn write_reference(resource: &ResourceInfo<'_>, out: &mut Vec<u8>) {
    let members = [
        ("resource", resource.resource),
        ("namespace", resource.namespace),
        ("name", &*resource.name),
        ("apiGroup", resource.api_group),
        ("apiVersion", resource.api_version),
        ("subresource", resource.subresource),
    ];
    for (name, value) in members {
        if !value.is_empty() {
            writer::string(out, name, value);
        }
    }
}

/// The URI that a request with this verb had: a request that creates or reads a collection is sent
/// to the collection.
pub(super) fn uri_of(resource: &ResourceInfo<'_>, verb: &str) -> String {
    let mut parts = if resource.api_group.is_empty() {
        vec!["api", resource.api_version]
    } else {
        vec!["apis", resource.api_group, resource.api_version]
    };
    if !resource.namespace.is_empty() && resource.resource != "namespaces" {
        parts.extend(["namespaces", resource.namespace]);
    }
    parts.push(resource.resource);
    let to_collection = match verb {
        "list" | "watch" | "deletecollection" => true,
        "create" => resource.subresource.is_empty(),
        _ => false,
    };
    if !to_collection && !resource.name.is_empty() {
        parts.push(&resource.name);
        if !resource.subresource.is_empty() {
            parts.push(resource.subresource);
        }
        if resource.subresource == "proxy" {
            parts.extend(resource.parts().skip(3));
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::RequestUri;

    #[test]
    fn a_reference_has_the_members_in_the_order_of_kubernetes() {
        for (uri, reference) in [
            (
                "/api/v1/namespaces/a/pods?limit=1",
                r#""resource":"pods","namespace":"a","apiVersion":"v1""#,
            ),
            (
                "/apis/apps/v1/deployments?fieldSelector=metadata.name%3D%3Dx",
                r#""resource":"deployments","name":"x","apiGroup":"apps","apiVersion":"v1""#,
            ),
            (
                "/api/v1/namespaces/a/finalize",
                r#""resource":"namespaces","namespace":"a","name":"a","apiVersion":"v1","subresource":"finalize""#,
            ),
            (
                "/api/v1//namespaces//dev-a//pods",
                r#""name":"namespaces","apiVersion":"v1""#,
            ),
        ] {
            let uri = RequestUri::new(uri);
            let resource = uri.with_method("GET").resource.unwrap();
            let mut out = Vec::new();
            write_reference(&resource, &mut out);
            assert_eq!(writer::text(out).unwrap(), reference, "{uri:?}");
        }
    }

    #[test]
    fn a_resource_has_the_uri_it_came_from() {
        for (verb, uri) in [
            ("get", "/api/v1/namespaces/a/pods/b/log"),
            ("create", "/apis/apps/v1/namespaces/a/deployments"),
            ("update", "/api/v1/namespaces/a/status"),
            ("get", "/api/v1/nodes/n/proxy/metrics/cadvisor"),
            ("deletecollection", "/api/v1/namespaces/a/secrets"),
        ] {
            let of = RequestUri::new(uri);
            assert_eq!(uri_of(&of.with_verb(verb).resource.unwrap(), verb), uri);
        }
    }
}
