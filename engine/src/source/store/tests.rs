use object_store::{ObjectStoreExt, memory::InMemory, path::Path};

use super::{cloud::TagUse, object::ObjectState, recording::RecordingStore, *};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn futures_can_move_between_threads() {
    fn check(_: impl Send) {}
    fn never(stores: &Stores) {
        check(stores.list("s3://b/", None, None));
        check(stores.bucket("s3://b/"));
        check(stores.holds_lake("s3://b/"));
    }
    let _ = never;
}

#[test]
fn inputs_that_cannot_be_listed() {
    let runtime = runtime();
    let stores = Stores::new(StoreSettings::default(), runtime.handle().clone());
    let list = |input: &str| {
        runtime
            .block_on(stores.list(input, None, None))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        list("az://logs/x"),
        "az://logs/x: no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME, or write the input as \
         abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX/"
    );
    assert_eq!(
        list("s3:///x"),
        "s3:///x: the URL names no bucket; write s3://BUCKET/PREFIX/"
    );
    let object = StoreObject {
        root: "s3://b".to_owned(),
        key: "k".to_owned(),
        size: Some(3),
        etag: None,
        state: ObjectState::default(),
    };
    assert_eq!(
        stores
            .reader(&object, 0, 3)
            .err()
            .map(|error| error.to_string()),
        Some("the store is not open".to_owned())
    );
    assert!(
        stores.reader(&object, 3, 9).is_ok(),
        "an empty range needs no store"
    );
    assert_eq!(stores.traffic().requests(), 0);
}

#[test]
fn web_servers_hold_no_lakes() {
    let runtime = runtime();
    let stores = Stores::new(StoreSettings::default(), runtime.handle().clone());
    let error = runtime
        .block_on(stores.bucket("https://user:hush@host/lake"))
        .err()
        .map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some("https://host/lake: a web server cannot hold a lake; use s3://, gs:// or az://")
    );
    assert!(
        !runtime
            .block_on(stores.holds_lake("https://host/lake"))
            .unwrap()
    );
}

#[test]
fn lakes_are_recognised_by_their_log() {
    let runtime = runtime();
    let stores = Stores::new(StoreSettings::default(), runtime.handle().clone());
    let memory = Arc::new(InMemory::new());
    for key in [
        "lake/events/_delta_log/00000000000000000000.json",
        "lake/events/date=2026-11-22/a.parquet",
        "lake.d/events/_delta_log/00000000000000000000.json",
        "logs/events/audit.log",
        "other/_delta_log/00000000000000000000.json",
    ] {
        runtime
            .block_on(memory.put(&Path::from(key), "{}".into()))
            .unwrap();
    }
    let cloud = CloudStore::new(
        RecordingStore {
            store: memory,
            asked: Arc::default(),
        },
        TagUse::Growing,
    );
    stores.opened.lock().insert(
        "gs://bucket".to_owned(),
        Arc::new(OpenedStore::Cloud(cloud)),
    );
    for (url, is_lake) in [
        ("gs://bucket/lake", true),
        ("gs://bucket/lake/", true),
        ("gs://bucket/lak", false),
        ("gs://bucket/lake/events", false),
        ("gs://bucket/logs", false),
        ("gs://bucket/other", false),
        ("gs://bucket/a//lake", false),
        ("gs://bucket/", false),
        ("gs://bucket/*", false),
        ("gs://bucket/lake.d/", true),
        ("gs://bucket/lake.d", false),
        ("gs:///lake", false),
    ] {
        let found = runtime.block_on(stores.holds_lake(url)).unwrap();
        assert_eq!(found, is_lake, "{url}");
    }
}
