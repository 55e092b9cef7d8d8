//! A server that misbehaves on purpose, in front of a store or of a local folder.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
};

use serde_json::{Value, json};

use super::emulators::{Store, tell, variables};

/// A server with faults, and how to see what it did.
pub(crate) struct Faulty {
    pub(super) url: String,
    store: Option<Store>,
}

impl Faulty {
    /// In front of a store.
    pub(crate) fn before(store: &Store, mut faults: Value) -> Self {
        faults["do"] = json!("faults");
        faults["upstream"] = json!(store.name);
        let started = tell(&faults);
        let store = Store {
            env: variables(&started["env"]),
            ..store.clone()
        };
        Self {
            url: started["url"].as_str().unwrap().to_owned(),
            store: Some(store),
        }
    }

    /// For the files of a folder.
    pub(super) fn of(folder: &Path, mut faults: Value) -> Self {
        faults["do"] = json!("faults");
        faults["root"] = json!(folder);
        Self {
            url: tell(&faults)["url"].as_str().unwrap().to_owned(),
            store: None,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// What it has done so far: `requests`, `failed`, `cut`, `bytes`.
    pub(crate) fn seen(&self, what: &str) -> u64 {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(host).unwrap();
        write!(
            connection,
            "GET /.faults HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<Value>(body).unwrap()[what]
            .as_u64()
            .unwrap()
    }
}
