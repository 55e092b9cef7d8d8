//! Tables made of parts: none, one, several, each with its rows.

use datafusion::arrow::array::{AsArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::*;

fn numbers(of: &[i64]) -> Arc<dyn TableProvider> {
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
    let column = Arc::new(Int64Array::from(of.to_vec()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap();
    Arc::new(MemTable::try_new(schema, vec![vec![batch]]).unwrap())
}

/// The numbers of a table that is made of these parts, sorted.
async fn union(parts: Vec<TablePart>, condition: Option<&str>) -> Vec<i64> {
    let context = SessionContext::new();
    let hidden = Arc::new(MemorySchemaProvider::new());
    let catalog = context.catalog("datafusion").unwrap();
    CatalogProvider::register_schema(&*catalog, "source", hidden).unwrap();
    let schema = numbers(&[]).schema();
    let condition = condition.map(str::to_owned);
    register_union(&context, "numbers", schema, parts, condition)
        .await
        .unwrap();
    let rows = context
        .sql("SELECT n FROM numbers ORDER BY n")
        .await
        .unwrap();
    let rows = rows.collect().await.unwrap();
    rows.iter()
        .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values())
        .copied()
        .collect()
}

#[tokio::test]
async fn a_table_is_all_of_its_parts() {
    let part = |name: &str, of: &[i64]| TablePart::new(name, numbers(of));
    assert_eq!(union(Vec::new(), None).await, [0_i64; 0]);
    assert_eq!(union(Vec::new(), Some("n > 1")).await, [0_i64; 0]);
    assert_eq!(union(vec![part("a", &[1, 2])], None).await, [1, 2]);
    assert_eq!(union(vec![part("a", &[1, 2])], Some("n > 1")).await, [2]);
    let two = || vec![part("a", &[1, 3]), part("b", &[2, 3])];
    assert_eq!(union(two(), None).await, [1, 2, 3, 3], "nothing is lost");
    assert_eq!(union(two(), Some("n <> 1")).await, [2, 3, 3]);
}

#[tokio::test]
async fn a_part_may_give_some_of_its_rows() {
    let some = |name: &str, of: &[i64], condition: &str| TablePart {
        condition: Some(condition.to_owned()),
        ..TablePart::new(name, numbers(of))
    };
    assert_eq!(union(vec![some("a", &[1, 2], "n < 2")], None).await, [1]);
    let parts = vec![
        some("a", &[1, 2], "n < 2"),
        TablePart::new("b", numbers(&[2])),
    ];
    assert_eq!(union(parts, Some("n > 1")).await, [2]);
}

#[test]
fn a_window_is_a_condition_on_the_time_of_the_event() {
    let window = |since, until| condition(Window { since, until });
    assert_eq!(window(None, None), None);
    let since = window(Some(7), None).unwrap();
    assert!(since.starts_with("stage_timestamp >= "), "{since}");
    let both = window(Some(7), Some(9)).unwrap();
    assert!(both.contains(" AND stage_timestamp < "), "{both}");
}
