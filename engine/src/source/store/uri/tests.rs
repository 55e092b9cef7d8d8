use super::*;

fn parse(input: &str) -> UriTarget {
    UriTarget::parse(input).unwrap()
}

#[test]
fn keys_are_literal() {
    let target = parse("s3://bucket/a%20b//c?d#e");
    assert_eq!(
        (target.key.as_str(), target.root.as_str()),
        ("a%20b//c?d#e", "s3://bucket")
    );
    assert_eq!(
        target.place,
        StorePlace::S3 {
            bucket: "bucket".to_owned(),
            region: None,
            public: false
        }
    );
    assert_eq!(target.uri("x/y"), "s3://bucket/x/y");
    assert_eq!(parse("GS://b").key, "");
    assert_eq!(
        parse("gcs://b/").place,
        StorePlace::Gcs {
            bucket: "b".to_owned(),
            public: false
        }
    );
}

#[test]
fn spellings_of_azure() {
    let azure = |input: &str| match parse(input) {
        UriTarget {
            place:
                StorePlace::Azure {
                    container,
                    account,
                    suffix,
                    sas,
                    ..
                },
            key,
            ..
        } => [
            container,
            account.unwrap_or_default(),
            suffix.unwrap_or_default(),
            sas.unwrap_or_default(),
            key,
        ]
        .join(" "),
        other => format!("{other:?}"),
    };
    assert_eq!(azure("az://logs/a/b"), "logs    a/b");
    assert_eq!(
        azure("abfss://logs@acc.dfs.core.windows.net/a/b"),
        "logs acc core.windows.net  a/b"
    );
    assert_eq!(azure("az://logs@acc/a"), "logs acc   a");
    assert_eq!(
        azure("az://logs@acc.blob.core.chinacloudapi.cn/a"),
        "logs acc core.chinacloudapi.cn  a"
    );
    assert_eq!(
        azure("https://acc.blob.core.windows.net/logs/y%3D2026/x"),
        "logs acc core.windows.net  y=2026/x"
    );
    assert_eq!(
        azure("https://acc.blob.core.windows.net/logs/x?sv=1&sig=s%2B"),
        "logs acc core.windows.net sv=1&sig=s%2B x"
    );
    assert_eq!(azure("az://logs/a?sv=1&sig=s"), "logs   sv=1&sig=s a");
    for wrong in [
        "az:///x",
        "az://acc.dfs.core.windows.net/x",
        "abfss://c@a.example.org/x",
        "https://a.blob.core.windows.net/",
    ] {
        assert!(UriTarget::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn addresses_of_browsers() {
    let s3 = |bucket: &str, region: Option<&str>| StorePlace::S3 {
        bucket: bucket.to_owned(),
        region: region.map(str::to_owned),
        public: true,
    };
    for (input, place, key) in [
        (
            "https://b.s3.eu-west-1.amazonaws.com/a%20b",
            s3("b", Some("eu-west-1")),
            "a b",
        ),
        ("https://my.b.s3.amazonaws.com/k", s3("my.b", None), "k"),
        (
            "https://s3.us-east-2.amazonaws.com/b/k/l",
            s3("b", Some("us-east-2")),
            "k/l",
        ),
        (
            "https://s3-eu-west-1.amazonaws.com/b/k",
            s3("b", Some("eu-west-1")),
            "k",
        ),
        (
            "https://b.s3.dualstack.eu-west-1.amazonaws.com/k",
            s3("b", Some("eu-west-1")),
            "k",
        ),
        (
            "https://storage.googleapis.com/b/k",
            StorePlace::Gcs {
                bucket: "b".to_owned(),
                public: true,
            },
            "k",
        ),
        (
            "https://b.storage.googleapis.com/k/",
            StorePlace::Gcs {
                bucket: "b".to_owned(),
                public: true,
            },
            "k/",
        ),
    ] {
        let target = parse(input);
        assert_eq!(
            (&target.place, target.key.as_str()),
            (&place, key),
            "{input}"
        );
    }
    for page in [
        "https://b.s3-website-eu-west-1.amazonaws.com/k",
        "https://b.s3.eu-west-1.amazonaws.com/k?X-Amz-Signature=s",
    ] {
        assert!(
            matches!(parse(page).place, StorePlace::Web { .. }),
            "{page}"
        );
    }
}

#[test]
fn secrets_are_kept_apart() {
    let target = parse("https://user:p%40ss@host:8443/a%2Fb/c.gz?file=x&token=hush#f");
    assert_eq!(target.shown, "https://host:8443/a%2Fb/c.gz?file=x&token=…");
    assert_eq!(
        (target.base.as_str(), target.key.as_str()),
        ("https://host:8443", "a%2Fb/c.gz")
    );
    assert!(
        target.root.starts_with("https://host:8443?"),
        "{}",
        target.root
    );
    let StorePlace::Web { query, user, .. } = &target.place else {
        panic!("{target:?}")
    };
    assert_eq!(
        (query.as_deref(), user.as_deref()),
        (Some("file=x&token=hush"), Some("user:p@ss"))
    );
    assert!(!format!("{target:?}").contains("hush"));
    let sas = parse("https://acc.blob.core.windows.net/logs/x?sv=1&sig=hush");
    assert!(!format!("{sas:?}").contains("hush"));
    assert_ne!(
        sas.root,
        parse("https://acc.blob.core.windows.net/logs/x?sv=1&sig=other").root
    );
}

#[test]
fn no_password_gets_into_a_message() {
    for url in [
        "s3://user:hush@bucket/x",
        "s3://AKIA:hu/sh@bucket/x",
        "gs://user:hush@bucket/x",
        "az:///x?sig=hush",
        "az://user:hush@account/x",
        "abfss://user:hush@account.dfs.core.windows.net/x",
        "abfss://logs@user:hush@account/x",
        "http://user:hush@host:port/x",
        "https://user:hu/sh@host/x",
        "https://user:hush@/x",
        "https://user:hush@[host/x?token=hush",
        "ftp://user:hush@host/x",
    ] {
        let error = UriTarget::parse(url).unwrap_err().to_string();
        assert!(!error.contains("hu") && !error.contains("sh@"), "{error}");
    }
    for url in [
        "http://user:hush@host/x/",
        "https://:hush@host/x?token=hush",
        "https://user:hush@storage.googleapis.com/b/k",
    ] {
        let target = parse(url);
        let shown = format!("{target:?} {}", target.uri("key"));
        assert!(!shown.contains("hush"), "{shown}");
        let StorePlace::Web { user, .. } = &target.place else {
            panic!("{target:?}")
        };
        assert!(user.as_ref().is_some_and(|user| user.ends_with(":hush")));
    }
}

#[test]
fn urls_of_stores() {
    assert!(is_url("s3://b") && is_url("ABFSS://c@a.dfs.core.windows.net/") && is_url("http://h"));
    assert!(!is_url("file:///x") && !is_url("/a/b") && !is_url("C:\\x") && !is_url("-"));
}
