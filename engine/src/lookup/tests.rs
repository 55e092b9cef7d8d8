use super::*;

fn open(name: &str, file_name: &str, text: &str) -> Result<LookupTables> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(file_name);
    std::fs::write(&file, text).unwrap();
    let given = GivenTable {
        name: name.to_owned(),
        file,
    };
    LookupTables::open(&[given], |name| name == "events")
}

#[test]
fn every_table_of_the_library_is_read() {
    assert_eq!(LookupDefinition::broken(), [""; 0]);
    let tables = LookupTables::open(&[], |_| false).unwrap();
    assert_eq!(
        tables.batches().unwrap().len(),
        LookupDefinition::library().len()
    );
}

#[test]
fn a_table_is_read_from_every_kind_of_file() {
    for (name, text) in [
        (
            "a.csv",
            "address,list\n10.0.0.0/8,office\n# a comment\n192.0.2.7,\n",
        ),
        ("a.tsv", "address\tlist\n10.0.0.0/8\toffice\n192.0.2.7\t\n"),
        (
            "a.json",
            r#"[{"address":"10.0.0.0/8","list":"office"},{"address":"192.0.2.7"}]"#,
        ),
        (
            "a.jsonl",
            "{\"address\":\"10.0.0.0/8\",\"list\":\"office\"}\n{\"address\":\"192.0.2.7\"}\n",
        ),
        (
            "a.yaml",
            "- address: 10.0.0.0/8\n  list: office\n- address: 192.0.2.7\n",
        ),
        ("a", "address,list\n10.0.0.0/8,office\n192.0.2.7,\n"),
        ("a.txt", "# addresses\n10.0.0.0/8 # office\n\n192.0.2.7\n"),
        ("a.yml", "[10.0.0.0/8, 192.0.2.7]"),
    ] {
        let tables = open("mine", name, text).unwrap();
        let is_listed = |address| tables.is_listed("mine", &[Some(address)]);
        assert_eq!(is_listed("10.9.9.9"), Some(true), "{name}");
        assert_eq!(is_listed("192.0.2.7"), Some(true), "{name}");
        assert_eq!(is_listed("192.0.2.8"), Some(false), "{name}");
        assert_eq!(tables.is_listed("other", &[None]), None);
    }
}

#[test]
fn columns_of_numbers_have_their_types() {
    let tables = open("t", "t.csv", "name,n,share,on\na,1,0.5,true\nb,2,7,false\n").unwrap();
    let batches = tables.batches().unwrap();
    let (_, batch) = batches.iter().find(|(name, _)| *name == "t").unwrap();
    let types: Vec<String> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.data_type().to_string())
        .collect();
    assert_eq!(types, ["Utf8View", "Int64", "Float64", "Boolean"]);
}

#[test]
fn what_does_not_fit_is_said_with_its_line() {
    for (name, file, text, expected) in [
        ("events", "a.csv", "a\n1\n", "is a table of auditql"),
        ("t", "a.csv", "a,b\n1\n", "a.csv:2"),
        ("t", "a.json", "[1,\n", "a.json:"),
        ("t", "a.json", "{\"a\":1}\n3\n", "item 2"),
        ("t", "a.yaml", "a: b", "expected a list"),
    ] {
        let error = open(name, file, text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
