//! SQL functions that ask the RBAC objects of the input: `rbac_decision`, `rbac_reason`; and
//! `rbac_covers`, which asks one rule.
//!
//! Requests come as the apiserver decides about them: user and groups (those of `actor`), the verb and
//! the request URI; never from `objectRef`.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, StringViewArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;

use crate::objects::ClusterObjects;
use crate::rbac::AccessRequest;
use crate::rbac::BindingKind;
use crate::rbac::Identity;
use crate::rbac::RbacAuthorizer;
use crate::rbac::RbacRule;
use crate::rbac::RulePermissions;
use crate::request::RequestUri;

/// Registers the functions.
pub(super) fn register(context: &SessionContext, objects: &Arc<ClusterObjects>) {
    let state = Arc::new(RbacState {
        objects: Arc::clone(objects),
        authorizer: OnceLock::new(),
    });
    for kind in [
        RbacQuestion::Decision,
        RbacQuestion::Reason,
        RbacQuestion::Covers,
    ] {
        context.register_udf(ScalarUDF::from(RbacFunction {
            kind,
            state: Arc::clone(&state),
            signature: Signature::any(kind.arity(), Volatility::Stable),
        }));
    }
}

/// The objects of the input, and what they decide: made when it is asked for.
struct RbacState {
    objects: Arc<ClusterObjects>,
    authorizer: OnceLock<RbacAuthorizer>,
}

impl RbacState {
    fn authorizer(&self) -> Result<&RbacAuthorizer> {
        let objects = self.objects.of_one_cluster()?;
        if objects.roles.is_empty() && objects.bindings.is_empty() {
            let message = "there are no roles or bindings in the input to decide by";
            return Err(DataFusionError::Execution(message.to_owned()));
        }
        Ok(self.authorizer.get_or_init(|| RbacAuthorizer::new(objects)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum RbacQuestion {
    /// `rbac_decision(user, groups, verb, uri)`
    Decision,
    /// `rbac_reason(user, groups, verb, uri)`
    Reason,
    /// `rbac_covers(verb, uri, verbs, api_groups, resources, resource_names, non_resource_urls)`
    Covers,
}

impl RbacQuestion {
    const fn arity(self) -> usize {
        match self {
            Self::Decision | Self::Reason => 4,
            Self::Covers => 7,
        }
    }
}

struct RbacFunction {
    kind: RbacQuestion,
    state: Arc<RbacState>,
    signature: Signature,
}

impl std::fmt::Debug for RbacFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RbacFunction").field(&self.kind).finish()
    }
}

// There is one of each kind in a session.
impl PartialEq for RbacFunction {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for RbacFunction {}

impl Hash for RbacFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl ScalarUDFImpl for RbacFunction {
    fn name(&self) -> &str {
        match self.kind {
            RbacQuestion::Decision => "rbac_decision",
            RbacQuestion::Reason => "rbac_reason",
            RbacQuestion::Covers => "rbac_covers",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            RbacQuestion::Covers => DataType::Boolean,
            RbacQuestion::Decision | RbacQuestion::Reason => DataType::Utf8View,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = args.args.iter().map(|arg| arg.to_array(rows));
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        let result: ArrayRef = match self.kind {
            RbacQuestion::Covers => Arc::new(covers(&arrays, rows)?),
            kind => Arc::new(decisions(kind, self.state.authorizer()?, &arrays, rows)?),
        };
        Ok(ColumnarValue::Array(result))
    }
}

/// The decision, or its reason; NULL without a user, a verb or a URI.
fn decisions(
    kind: RbacQuestion,
    authorizer: &RbacAuthorizer,
    arrays: &[ArrayRef],
    rows: usize,
) -> Result<StringViewArray> {
    let (users, groups) = (texts(arrays, 0)?, lists(arrays, 1)?);
    let (verbs, uris) = (texts(arrays, 2)?, texts(arrays, 3)?);
    let decide = |row: usize| -> Option<String> {
        let identity = Identity {
            name: text(&users, row)?.to_owned(),
            groups: list(&groups, row),
        };
        let uri = RequestUri::new(text(&uris, row)?);
        let request = AccessRequest::from(&uri.with_verb(text(&verbs, row)?));
        if kind == RbacQuestion::Reason {
            return Some(authorizer.decide(&identity, &request).reason);
        }
        let is_allowed = authorizer.allows(&identity, &request);
        Some(if is_allowed { "allow" } else { "forbid" }.to_owned())
    };
    Ok((0..rows).map(decide).collect())
}

/// Whether one rule, with the columns of `rbac_rules`, allows the request where it is bound.
fn covers(arrays: &[ArrayRef], rows: usize) -> Result<BooleanArray> {
    let (verbs, uris) = (texts(arrays, 0)?, texts(arrays, 1)?);
    let rule = (2..7)
        .map(|at| lists(arrays, at))
        .collect::<Result<Vec<_>>>()?;
    let decide = |row: usize| -> Option<bool> {
        let uri = RequestUri::new(text(&uris, row)?);
        let request = AccessRequest::from(&uri.with_verb(text(&verbs, row)?));
        let [
            verbs,
            api_groups,
            resources,
            resource_names,
            non_resource_urls,
        ] = [0, 1, 2, 3, 4].map(|at| list(&rule[at], row));
        let rule = RbacRule {
            verbs,
            api_groups,
            resources,
            resource_names,
            non_resource_urls,
        };
        let permissions = RulePermissions::new(&rule, BindingKind::ClusterRoleBinding);
        Some(!permissions.covering(&request).is_empty())
    };
    Ok((0..rows).map(decide).collect())
}

fn texts(arrays: &[ArrayRef], at: usize) -> Result<StringViewArray> {
    let array = cast(&arrays[at], &DataType::Utf8View)?;
    array
        .as_string_view_opt()
        .cloned()
        .ok_or_else(|| expected(at, "text"))
}

fn lists(arrays: &[ArrayRef], at: usize) -> Result<ListArray> {
    let item = Arc::new(Field::new_list_field(DataType::Utf8View, true));
    let array = cast(&arrays[at], &DataType::List(item)).map_err(|_| expected(at, "a list"))?;
    array
        .as_list_opt()
        .cloned()
        .ok_or_else(|| expected(at, "a list"))
}

fn expected(at: usize, what: &str) -> DataFusionError {
    DataFusionError::Plan(format!("argument {}: expected {what}", at + 1))
}

fn text(array: &StringViewArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

/// The texts of a list; none where it is NULL.
fn list(array: &ListArray, row: usize) -> Vec<String> {
    if array.is_null(row) {
        return Vec::new();
    }
    let values = array.value(row);
    let texts = values.as_string_view_opt();
    let texts = texts.into_iter().flat_map(StringViewArray::iter).flatten();
    texts.map(str::to_owned).collect()
}
