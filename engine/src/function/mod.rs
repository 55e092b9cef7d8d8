//! SQL functions of our own: [`FUNCTIONS`] is the list that the session registers and that help and
//! docs iterate over.
//!
//! Goes in: text columns. Comes out: text, numbers, lists, structs; NULL where the input does not
//! say. All of them are pure and hold no state. The body functions walk raw JSON: of duplicate
//! members the last counts, any nesting is stood, and a malformed body gives NULL, so an attacker
//! cannot hide a field by what stands around it.

mod body;
mod date_trunc;
mod duration;
mod net;
pub(crate) mod uri;

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{ArrayRef, StringViewArray},
        compute::cast,
        datatypes::DataType,
    },
    common::cast::as_string_view_array,
    error::{DataFusionError, Result},
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

/// A function over text.
#[derive(Debug)]
pub struct Function {
    /// Name in SQL.
    pub name: &'static str,
    /// Arguments and result, as the docs show them.
    pub signature: &'static str,
    /// What it gives, and when NULL.
    pub doc: &'static str,
    arity: usize,
    result: fn() -> DataType,
    evaluate: fn(&[&StringViewArray]) -> Result<ArrayRef>,
}

/// Every function of our own.
pub static FUNCTIONS: &[Function] = &[
    Function {
        name: "go_duration",
        signature: "go_duration(text) → double",
        doc: "Milliseconds of a Go duration such as `1m2.5s` or `126.6µs` (units ns, us, µs, ms, s, m, h); NULL when it is none.",
        arity: 1,
        result: || DataType::Float64,
        evaluate: duration::go_duration,
    },
    Function {
        name: "cidr_contains",
        signature: "cidr_contains(cidr, ip) → boolean",
        doc: "Is the address in the network? `10.0.0.0/8`, `2001:db8::/32`, or a single address; NULL when either is none.",
        arity: 2,
        result: || DataType::Boolean,
        evaluate: net::cidr_contains,
    },
    Function {
        name: "ip_is_public",
        signature: "ip_is_public(ip) → boolean",
        doc: "Is the address globally reachable, by the IANA special-purpose registries? NULL when it is no address.",
        arity: 1,
        result: || DataType::Boolean,
        evaluate: net::ip_is_public,
    },
    Function {
        name: "query_param",
        signature: "query_param(uri, name) → text",
        doc: "First value of a query parameter of a URI, decoded; NULL when it is not there.",
        arity: 2,
        result: || DataType::Utf8View,
        evaluate: uri::query_param,
    },
    Function {
        name: "query_params",
        signature: "query_params(uri, name) → list<text>",
        doc: "All values of a query parameter of a URI, decoded, in order; empty when it is not there.",
        arity: 2,
        result: uri::list_type,
        evaluate: uri::query_params,
    },
    Function {
        name: "exec_command",
        signature: "exec_command(uri) → text",
        doc: "The command line of an exec: all `command` parameters, decoded, joined by a space; NULL when there is none.",
        arity: 1,
        result: || DataType::Utf8View,
        evaluate: uri::exec_command,
    },
    Function {
        name: "body_kind",
        signature: "body_kind(body) → text",
        doc: "The `kind` of an object; NULL when it has none (a merge patch), is a list (a JSON patch) or is malformed.",
        arity: 1,
        result: || DataType::Utf8View,
        evaluate: body::body_kind,
    },
    Function {
        name: "body_text",
        signature: "body_text(body, path) → text",
        doc: "What stands at a dotted path (`spec.type`) of an object: a string, number or boolean as text, anything else as JSON; NULL when nothing does.",
        arity: 2,
        result: || DataType::Utf8View,
        evaluate: body::body_text,
    },
    Function {
        name: "pod_spec",
        signature: "pod_spec(resource, body) → text",
        doc: "JSON of the pod spec inside a workload of this resource (pods, deployments, cronjobs, …); NULL when there is none.",
        arity: 2,
        result: || DataType::Utf8View,
        evaluate: body::pod_spec,
    },
    Function {
        name: "containers",
        signature: "containers(pod_spec) → list<struct>",
        doc: "Containers, init containers and ephemeral containers of a pod spec: container_kind, container_name, image, command, args, privileged, allow_privilege_escalation, run_as_user, run_as_non_root, capabilities_added, capabilities_dropped, host_ports, seccomp_profile, env_secret_refs. What a container leaves open of run_as_user, run_as_non_root and seccomp_profile is the pod's.",
        arity: 1,
        result: body::containers_type,
        evaluate: body::containers,
    },
    Function {
        name: "role_ref",
        signature: "role_ref(body) → struct",
        doc: "The `roleRef` of a binding: api_group, kind, name; NULL when there is none.",
        arity: 1,
        result: body::role_ref_type,
        evaluate: body::role_ref,
    },
    Function {
        name: "subjects",
        signature: "subjects(body) → list<struct>",
        doc: "The `subjects` of a binding: kind, api_group, namespace, name; NULL when the body has none.",
        arity: 1,
        result: body::subjects_type,
        evaluate: body::subjects,
    },
    Function {
        name: "rules",
        signature: "rules(body) → list<struct>",
        doc: "The `rules` of a role: api_groups, resources, resource_names, non_resource_urls, verbs; NULL when the body has none.",
        arity: 1,
        result: body::rules_type,
        evaluate: body::rules,
    },
];

/// The functions as DataFusion takes them.
pub(crate) fn udfs() -> impl Iterator<Item = ScalarUDF> {
    let own = FUNCTIONS.iter().map(|function| {
        ScalarUDF::from(Udf {
            function,
            signature: Signature::string(function.arity, Volatility::Immutable),
        })
    });
    own.chain([date_trunc::udf()])
}

#[derive(Debug)]
struct Udf {
    function: &'static Function,
    signature: Signature,
}

// A function is its name.
impl PartialEq for Udf {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Udf {}

impl Hash for Udf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for Udf {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok((self.function.result)())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // One row is enough for constant arguments.
        let constant = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args
            .args
            .iter()
            .map(|arg| Ok(cast(&arg.to_array(rows)?, &DataType::Utf8View)?));
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        let views = arrays
            .iter()
            .map(|array| as_string_view_array(array))
            .collect::<Result<Vec<_>, DataFusionError>>()?;
        let result = (self.function.evaluate)(&views)?;
        if constant {
            return Ok(ColumnarValue::Scalar(
                datafusion::common::ScalarValue::try_from_array(&result, 0)?,
            ));
        }
        Ok(ColumnarValue::Array(result))
    }
}

/// Evaluates every function once; for fuzzing.
pub(crate) fn call_all(first: &str, second: &str) {
    let (a, b) = (
        StringViewArray::from(vec![first]),
        StringViewArray::from(vec![second]),
    );
    for function in FUNCTIONS {
        let _ = (function.evaluate)(&[&a, &b][..function.arity]);
        let _ = (function.evaluate)(&[&b, &a][..function.arity]);
    }
}

/// A function of one text to an optional text.
fn map_text(array: &StringViewArray, of: impl Fn(&str) -> Option<String>) -> ArrayRef {
    Arc::new(
        array
            .iter()
            .map(|text| of(text?))
            .collect::<StringViewArray>(),
    )
}

/// The rows of two text columns.
fn pairs<'a>(arrays: &[&'a StringViewArray]) -> impl Iterator<Item = Option<(&'a str, &'a str)>> {
    let (left, right) = (arrays[0], arrays[1]);
    left.iter()
        .zip(right.iter())
        .map(|(left, right)| Some((left?, right?)))
}
