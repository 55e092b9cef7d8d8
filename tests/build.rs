//! What this machine has that tests need: each thing becomes a `cfg`, and tests without theirs are
//! ignored, which `cargo test` lists and counts.

use std::{path::Path, process::Command};

fn main() {
    for name in ["emulators", "python", "recordings"] {
        println!("cargo::rustc-check-cfg=cfg({name})");
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=AUDITQL_EMULATORS");
    println!("cargo::rerun-if-env-changed=PATH");
    // The emulators of object stores, which `emulators/emulators.py` keeps in this folder.
    if std::env::var_os("AUDITQL_EMULATORS").is_some() {
        println!("cargo::rustc-cfg=emulators");
    }
    if Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|ran| ran.status.success())
    {
        println!("cargo::rustc-cfg=python");
    }
    // Recordings of whole clusters beside the checkout. Cargo would run this script every time if it
    // were to watch a folder that is not there.
    let recordings = Path::new("../../shared/data");
    if recordings.exists() {
        println!("cargo::rerun-if-changed={}", recordings.display());
        println!("cargo::rustc-cfg=recordings");
    }
}
