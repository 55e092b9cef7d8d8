//! The corners of the rules, one a row, as the apiserver's own resolver answers them; and what holds
//! of every URI.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::*;

/// Verb, group, version, namespace, resource, name, subresource.
type Told = [String; 7];

fn told(info: &RequestInfo<'_>) -> Result<Told, (String, String)> {
    let verb = info.verb.to_string();
    let Some(resource) = &info.resource else {
        return Err((verb, info.path.to_owned()));
    };
    let texts = [
        resource.api_group,
        resource.api_version,
        resource.namespace,
        resource.resource,
        &resource.name,
        resource.subresource,
    ];
    let [group, version, namespace, kind, name, subresource] = texts.map(str::to_owned);
    Ok([verb, group, version, namespace, kind, name, subresource])
}

/// By method, and again by the verb that the event then has.
fn resolved(method: &str, uri: &str) -> Result<Told, (String, String)> {
    let of = RequestUri::new(uri);
    let info = of.with_method(method);
    let answer = told(&info);
    assert_eq!(told(&of.with_verb(&info.verb)), answer, "{method} {uri}");
    answer
}

#[track_caller]
fn check(method: &str, uri: &str, expected: [&str; 7]) {
    let expected = expected.map(str::to_owned);
    assert_eq!(resolved(method, uri), Ok(expected), "{method} {uri}");
}

#[track_caller]
fn check_path(method: &str, uri: &str, verb: &str, path: &str) {
    let expected = Err((verb.to_owned(), path.to_owned()));
    assert_eq!(resolved(method, uri), expected, "{method} {uri}");
}

/// The verb and name of a read of pods with this query.
fn read(query: &str) -> (String, String) {
    let uri = format!("/api/v1/pods?{query}");
    let [verb, .., name, _] = resolved("GET", &uri).unwrap();
    (verb, name)
}

#[test]
fn methods_and_verbs() {
    for (method, collection, object, path) in [
        ("GET", "list", "get", "get"),
        ("HEAD", "list", "get", "head"),
        ("POST", "create", "create", "post"),
        ("PUT", "update", "update", "put"),
        ("PATCH", "patch", "patch", "patch"),
        ("DELETE", "deletecollection", "delete", "delete"),
        ("OPTIONS", "", "", "options"),
        ("get", "", "", "get"),
        ("WATCH", "", "", "watch"),
        ("proxy", "", "", "proxy"),
    ] {
        check(
            method,
            "/api/v1/pods",
            [collection, "", "v1", "", "pods", "", ""],
        );
        check(
            method,
            "/api/v1/pods/x",
            [object, "", "v1", "", "pods", "x", ""],
        );
        check_path(method, "/healthz", path, "/healthz");
    }
}

#[test]
fn namespaces() {
    let get = |uri, rest: [&str; 4]| {
        let [namespace, resource, name, subresource] = rest;
        let verb = if name.is_empty() { "list" } else { "get" };
        check(
            "GET",
            uri,
            [verb, "", "v1", namespace, resource, name, subresource],
        );
    };
    get("/api/v1/namespaces", ["", "namespaces", "", ""]);
    get("/api/v1/namespaces/x", ["x", "namespaces", "x", ""]);
    get(
        "/api/v1/namespaces/x/status",
        ["x", "namespaces", "x", "status"],
    );
    get(
        "/api/v1/namespaces/x/finalize",
        ["x", "namespaces", "x", "finalize"],
    );
    get(
        "/api/v1/namespaces/x/finalizers",
        ["x", "finalizers", "", ""],
    );
    get(
        "/api/v1/namespaces/x/status/y",
        ["x", "namespaces", "x", "status"],
    );
    get(
        "/api/v1/namespaces/x/pods/p/status",
        ["x", "pods", "p", "status"],
    );
    get("/api/v1/namespaces/x/nodes/n", ["x", "nodes", "n", ""]);
    get("/api/v1/namespaces//pods", ["", "pods", "", ""]);
    get(
        "/api/v1/namespaces/namespaces/namespaces",
        ["namespaces", "namespaces", "", ""],
    );
    check(
        "GET",
        "/apis/g/v2/namespaces/x/things/t/scale/more",
        ["get", "g", "v2", "x", "things", "t", "scale"],
    );
}

#[test]
fn slashes_and_escapes() {
    let get = |uri, expected| check("GET", uri, expected);
    get("//api/v1/pods/", ["list", "", "v1", "", "pods", "", ""]);
    get("/api/v1//pods", ["get", "", "v1", "", "", "pods", ""]);
    get(
        "/api/v1/pods//log",
        ["list", "", "v1", "", "pods", "", "log"],
    );
    get(
        "/api/v1/pods/./..",
        ["get", "", "v1", "", "pods", ".", ".."],
    );
    get("/apis//v1/pods", ["list", "", "v1", "", "pods", "", ""]);
    get("/api//v1/pods", ["get", "", "", "", "v1", "pods", ""]);
    get(
        "/api/v1//namespaces//dev-a//pods",
        ["get", "", "v1", "", "", "namespaces", ""],
    );
    // Decoded first, then split.
    get(
        "/api/v1/namespaces/a%2Fb/pods",
        ["get", "", "v1", "a", "b", "pods", ""],
    );
    get("/api%2Fv1/pods", ["list", "", "v1", "", "pods", "", ""]);
    get("/api/v1/pods/x%2F", ["get", "", "v1", "", "pods", "x", ""]);
    get(
        "/api/v1/names%70aces/%c3%a9/pods/a%20b",
        ["get", "", "v1", "\u{e9}", "pods", "a b", ""],
    );
    get(
        "/api/v1/secrets/..%2f..%2fsecrets",
        ["get", "", "v1", "", "secrets", "..", ".."],
    );
    // Decoded once; a plus is a plus.
    get(
        "/api/v1/pods/a%252Fb",
        ["get", "", "v1", "", "pods", "a%2Fb", ""],
    );
    get("/api/v1/pods/a+b", ["get", "", "v1", "", "pods", "a+b", ""]);
    get(
        "/api/v1/pods/a%3Fb?c",
        ["get", "", "v1", "", "pods", "a?b", ""],
    );
    // No apiserver sees these.
    get(
        "/api/v1/pods/%zz%4",
        ["get", "", "v1", "", "pods", "%zz%4", ""],
    );
    get(
        "/api/v1/pods/%ff",
        ["get", "", "v1", "", "pods", "\u{fffd}", ""],
    );
    get("/api/v1/pods/x#y", ["get", "", "v1", "", "pods", "x#y", ""]);
}

#[test]
fn other_paths_stay_as_they_are() {
    for (uri, path) in [
        ("", ""),
        ("/", "/"),
        ("*", "*"),
        ("/api", "/api"),
        ("/api/v1/", "/api/v1/"),
        ("/apis", "/apis"),
        ("/apis/apps/v1", "/apis/apps/v1"),
        ("/apis//v1//", "/apis//v1//"),
        ("/API/v1/pods", "/API/v1/pods"),
        ("/openapi/v3/apis?hash=1", "/openapi/v3/apis"),
        ("/version/", "/version/"),
        ("//healthz", "//healthz"),
        ("/heal%74hz%2F..", "/healthz/.."),
        ("/logs/a%20b", "/logs/a b"),
        ("/x/api/v1/pods", "/x/api/v1/pods"),
    ] {
        check_path("GET", uri, "get", path);
    }
}

#[test]
fn verbs_in_the_path() {
    for method in ["GET", "DELETE", "OPTIONS"] {
        check(
            method,
            "/api/v1/watch/pods",
            ["watch", "", "v1", "", "pods", "", ""],
        );
        check(
            method,
            "/apis/apps/v1/watch/namespaces/x/deployments/d",
            ["watch", "apps", "v1", "x", "deployments", "d", ""],
        );
        check(
            method,
            "/api/v1/proxy/namespaces/x/pods/p/status",
            ["proxy", "", "v1", "x", "pods", "p", ""],
        );
        check_path(
            method,
            "/api/v1/watch",
            &method.to_lowercase(),
            "/api/v1/watch",
        );
        check_path(
            method,
            "/api/v1/proxy/",
            &method.to_lowercase(),
            "/api/v1/proxy/",
        );
    }
    check(
        "GET",
        "/api/v1/watch/pods?watch=0&fieldSelector=metadata.name%3Dx",
        ["watch", "", "v1", "", "pods", "", ""],
    );
    // Not first: a resource, a namespace.
    check(
        "GET",
        "/api/v1/pods/watch",
        ["get", "", "v1", "", "pods", "watch", ""],
    );
    check(
        "GET",
        "/api/v1/namespaces/watch/watch",
        ["list", "", "v1", "watch", "watch", "", ""],
    );
    check(
        "GET",
        "/api/v1/nodes/n/proxy/metrics",
        ["get", "", "v1", "", "nodes", "n", "proxy"],
    );
}

#[test]
fn watches() {
    for query in [
        "watch",
        "watch=",
        "watch=1",
        "watch=true",
        "watch=nope",
        "watch=00",
        "w%61tch=+0",
        "watch=1&watch=0",
        "limit=abc&watch=1",
        "labelSelector=!&watch",
        "watch=%z&watch=1&fieldSelector=%",
    ] {
        assert_eq!(read(query).0, "watch", "{query}");
    }
    for query in [
        "",
        "watch=0",
        "watch=false",
        "watch=FALSE",
        "watch=%30",
        "Watch=true",
        "watch=0&watch=1",
        "watch=1;",
        "watch=%zz",
        "limit=abc&watch=False",
        "a=watch=1",
    ] {
        assert_eq!(read(query).0, "list", "{query}");
    }
    let of = RequestUri::new("/api/v1/pods/x?watch=1");
    assert_eq!(of.with_method("GET").verb, "get");
}

#[test]
fn names_by_field_selector() {
    for (query, name) in [
        ("fieldSelector=metadata.name=x", "x"),
        ("fieldSelector=metadata.name%3D%3Dx&watch=1", "x"),
        ("field%53elector=metadata.name%3Dx", "x"),
        ("fieldSelector=spec.nodeName=n,metadata.name=x", "x"),
        ("fieldSelector=,metadata.name=x,,", "x"),
        // The terms are sorted as they are written: `metadata.name=` is before `metadata.name==`.
        ("fieldSelector=metadata.name=y,metadata.name=x", "x"),
        ("fieldSelector=metadata.name==a,metadata.name=z", "a"),
        ("fieldSelector=metadata.name==b,metadata.name=/", ""),
        (
            "fieldSelector=metadata.name=x&fieldSelector=metadata.name=y",
            "x",
        ),
        ("fieldSelector=%zz&fieldSelector=metadata.name=y", "y"),
        ("fieldSelector=metadata.name=a+b", "a b"),
        (r"fieldSelector=metadata.name=a\,b\=c\\", r"a,b=c\"),
        ("fieldSelector=metadata.name=%25", ""),
        ("fieldSelector=metadata.name!=x", ""),
        ("fieldSelector=metadata.name!=x,metadata.name=y", "y"),
        ("fieldSelector=metadata.namespace=x", ""),
        ("fieldSelector=+metadata.name=x", ""),
        ("fieldSelector=metadata.name=", ""),
        ("fieldSelector=", ""),
        ("FieldSelector=metadata.name=x", ""),
        ("fieldSelector=metadata.name=.", ""),
        ("fieldSelector=metadata.name=..", ""),
        ("fieldSelector=metadata.name=...", "..."),
        ("fieldSelector=metadata.name=a/b", ""),
        // Not selectors.
        ("fieldSelector=metadata.name=x,y", ""),
        ("fieldSelector=metadata.name=x=y", ""),
        ("fieldSelector=metadata.name===x", ""),
        (r"fieldSelector=metadata.name=x,a=\b", ""),
        (r"fieldSelector=metadata.name=x\", ""),
        ("fieldSelector=metadata.name=x;", ""),
    ] {
        assert_eq!(read(query).1, name, "{query}");
    }
    let uri = "/api/v1/pods?fieldSelector=metadata.name=x";
    check(
        "DELETE",
        uri,
        ["deletecollection", "", "v1", "", "pods", "", ""],
    );
    check("POST", uri, ["create", "", "v1", "", "pods", "", ""]);
    check("HEAD", uri, ["list", "", "v1", "", "pods", "x", ""]);
    let uri = "/api/v1/pods//log?fieldSelector=metadata.name=x";
    check("GET", uri, ["list", "", "v1", "", "pods", "x", "log"]);
}

#[test]
fn options_that_do_not_parse_take_the_name_away() {
    let named = |more: &str| read(&format!("{more}&fieldSelector=metadata.name=x")).1 == "x";
    for options in [
        "limit=0",
        "limit=-5",
        "limit=%2B5",
        "timeoutSeconds=9223372036854775807",
        "limit=1&limit=x",
        "resourceVersion=x",
        "resourceVersionMatch=x",
        "continue=%FF",
        "sendInitialEvents=x",
        "allowWatchBookmarks=",
        "shardSelector=((",
        "timeout=x",
        "pretty",
        "labelSelector",
        "limit=%z",
        "labelSelector=a",
        "labelSelector=!a",
        "labelSelector=a=b,c==d,e!=f",
        "labelSelector=a=",
        "labelSelector=a+in+(b,,+c)",
        "labelSelector=a+notin+()",
        "labelSelector=in+in+(in,notin)",
        "labelSelector=k8s.io/a_b.C=x",
        "labelSelector=a+=+b+",
        "labelSelector=a%00",
        "labelSelector=a+%00!",
        "labelSelector=%00!",
        "labelSelector=a=%00b",
        "labelSelector=a>1,b<0",
    ] {
        assert!(named(options), "{options}");
    }
    for options in [
        "limit=",
        "limit",
        "limit=abc",
        "limit=1e3",
        "limit=+5",
        "limit=1_0",
        "timeoutSeconds=9223372036854775808",
        "timeoutSeconds=",
        "limit=x&limit=1",
        "labelSelector=!",
        "labelSelector=a,",
        "labelSelector=,a",
        "labelSelector=a+b",
        "labelSelector=a=b=c",
        "labelSelector=a=!b",
        "labelSelector=!a=b",
        "labelSelector=!!a",
        "labelSelector=a+in",
        "labelSelector=a+in+b",
        "labelSelector=a+in+(b",
        "labelSelector=a+in+(b+c)",
        "labelSelector=a>b",
        "labelSelector=a>-1",
        "labelSelector=a%00b",
        "labelSelector=a>",
        "labelSelector=a>99999999999999999999",
        "labelSelector=a/b/c",
        "labelSelector=/a",
        "labelSelector=a/",
        "labelSelector=A/b",
        "labelSelector=-a",
        "labelSelector=a=b-",
        "labelSelector=%C3%A9",
        "labelSelector=(a)",
        "labelSelector==",
    ] {
        assert!(!named(options), "{options}");
    }
    let long = "a".repeat(64);
    assert!(!named(&format!("labelSelector={long}")));
    assert!(!named(&format!("labelSelector=a={long}")));
    assert!(named(&format!("labelSelector={0}={0}", &long[1..])));
    assert!(!named(&format!("labelSelector={}a/b", "a.".repeat(127))));
    assert!(named(&format!("labelSelector={}a/b", "a.".repeat(126))));
}

#[test]
fn parts_begin_with_the_resource() {
    let parts = |uri| {
        let of = RequestUri::new(uri);
        let resource = of.with_verb("get").resource.unwrap();
        resource.parts().map(str::to_owned).collect::<Vec<_>>()
    };
    let proxied = "/api/v1/namespaces/x/services/s/proxy/a//b/";
    assert_eq!(parts(proxied), ["services", "s", "proxy", "a", "", "b"]);
    assert_eq!(parts("/api/v1/proxy/nodes/n/a/b"), ["nodes", "n", "a", "b"]);
    assert_eq!(parts("/api/v1/namespaces/x"), ["namespaces", "x"]);
}

fn encoded(segment: &str) -> String {
    utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string()
}

proptest! {
    #[test]
    fn no_text_is_too_strange(method in "\\PC*", uri in "\\PC*", tail in "[a-z/?&=%,;!()<>+.\\\\0-9]*") {
        for uri in [uri, format!("/api/v1/{tail}"), format!("/apis/g/v1/pods?fieldSelector={tail}"),
            format!("/api/v1/pods?labelSelector={tail}&fieldSelector=metadata.name=x")]
        {
            let of = RequestUri::new(&uri);
            let info = of.with_method(&method);
            prop_assert_eq!(of.with_verb(&info.verb).resource.is_some(), info.resource.is_some());
            for verb in ["list", "watch", "get", "", &method] {
                let info = of.with_verb(verb);
                prop_assert_eq!(&*info.verb, verb);
            }
        }
    }

    #[test]
    fn a_resource_is_found_in_its_path(
        group in prop_oneof![Just(String::new()), "[a-z.]{1,8}"],
        namespace in prop_oneof![Just(String::new()), "[^/]{1,6}"],
        texts in ("[^/]{1,6}", "[^/]{1,6}", "[^/]{0,6}"),
    ) {
        let (resource, name, subresource) = texts;
        prop_assume!(!["watch", "proxy", "namespaces", "status", "finalize"].contains(&resource.as_str()));
        let api = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", encoded(&group)) };
        let mut uri = format!("{api}/v1");
        if !namespace.is_empty() {
            uri += &format!("/namespaces/{}", encoded(&namespace));
        }
        uri += &format!("/{}/{}", encoded(&resource), encoded(&name));
        if !subresource.is_empty() {
            uri += &format!("/{}", encoded(&subresource));
        }
        let found = resolved("PUT", &uri);
        let expected = ["update", &group, "v1", &namespace, &resource, &name, &subresource];
        prop_assert_eq!(found, Ok(expected.map(str::to_owned)), "{}", uri);
    }

    #[test]
    fn a_selected_name_is_found_in_its_selector(name in "[^/%]{1,8}") {
        prop_assume!(!matches!(name.as_str(), "." | ".."));
        let escaped = name.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=");
        let query = format!("fieldSelector={}", encoded(&format!("metadata.name={escaped}")));
        prop_assert_eq!(read(&query).1, name);
    }
}
