//! SQL functions of our own: text columns in; text, numbers, lists and structs out, NULL where the
//! input does not say.
//!
//! [`FUNCTIONS`] lists them for the session, for help and for docs. They are pure and hold no
//! state. Those over bodies walk raw JSON of any nesting: the last of duplicate members counts, and
//! a malformed body gives NULL, so that an attacker cannot hide a field by what surrounds it.
//!
//! Not responsible for: DataFusion's own functions, except `date_trunc`, which is made faster
//! ([`date_trunc`]), and those that could fill the memory alone ([`bounded`]).

mod body;
pub(crate) mod bounded;
mod date_trunc;
mod duration;
mod identity;
mod net;
mod outcome;
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

/// An SQL function over text.
#[derive(Debug)]
pub struct Function {
    /// Name in SQL.
    pub name: &'static str,
    /// Arguments and result, for the docs.
    pub signature: &'static str,
    /// What it returns, and when that is NULL.
    pub doc: &'static str,
    arity: usize,
    result: fn() -> DataType,
    /// `None`: it asks the RBAC objects of the input (`catalog/rbac_functions.rs`).
    evaluate: Option<Evaluate>,
}

/// Texts in, one value a row out.
type Evaluate = fn(&[&StringViewArray]) -> Result<ArrayRef>;

/// Every function of our own.
pub static FUNCTIONS: &[Function] = &[
    Function {
        name: "go_duration",
        signature: "go_duration(text) → double",
        doc: "Milliseconds of a Go duration such as `1m2.5s` or `126.6µs` (units ns, us, µs, ms, s, m, h); NULL if it is not one.",
        arity: 1,
        result: || DataType::Float64,
        evaluate: Some(duration::go_duration),
    },
    Function {
        name: "cidr_contains",
        signature: "cidr_contains(cidr, ip) → boolean",
        doc: "Is the address in the network (`10.0.0.0/8`, `2001:db8::/32` or a single address)? NULL if either is invalid.",
        arity: 2,
        result: || DataType::Boolean,
        evaluate: Some(net::cidr_contains),
    },
    Function {
        name: "ip_is_public",
        signature: "ip_is_public(ip) → boolean",
        doc: "Is the address globally reachable, according to the IANA special-purpose registries? NULL if it is not an address.",
        arity: 1,
        result: || DataType::Boolean,
        evaluate: Some(net::ip_is_public),
    },
    Function {
        name: "outcome",
        signature: "outcome(response_code, dry_run) → text",
        doc: "What came of a request: `succeeded` (100 to 399; 101 is an opened stream), `dry run` (succeeded, and nothing was stored), `refused` (401 or 403), `failed` (any other 4xx, and 5xx, which may have happened all the same) or `unknown` (no code).",
        arity: 2,
        result: || DataType::Utf8View,
        evaluate: Some(outcome::outcome),
    },
    Function {
        name: "graded",
        signature: "graded(severity, outcome) → text",
        doc: "The severity of a finding by what came of it: as it is if the request succeeded or its outcome is unknown, one step less if it was refused, failed or was a dry run.",
        arity: 2,
        result: || DataType::Utf8View,
        evaluate: Some(outcome::graded),
    },
    Function {
        name: "write_kind",
        signature: "write_kind(verb, api_group, resource, subresource) → text",
        doc: "What a write is of: `object`, `status`, `scale`, `approval`, `subresource` (any other), `binding`, `eviction`, `token` or `review`; see the view object_writes.",
        arity: 4,
        result: || DataType::Utf8View,
        evaluate: Some(outcome::write_kind),
    },
    Function {
        name: "listed",
        signature: "listed(table, value, …) → boolean",
        doc: "Whether a row of the lookup table matches: the values are compared with its first columns, text for text, a pattern with `*` and `?`, or a network with an address, by the column's type. An empty cell matches everything; NULL matches nothing else.",
        arity: 0,
        result: || DataType::Boolean,
        evaluate: None,
    },
    Function {
        name: "query_param",
        signature: "query_param(uri, name) → text",
        doc: "First value of a query parameter in a URI, decoded; NULL if there is none.",
        arity: 2,
        result: || DataType::Utf8View,
        evaluate: Some(uri::query_param),
    },
    Function {
        name: "query_params",
        signature: "query_params(uri, name) → list<text>",
        doc: "All values of a query parameter in a URI, decoded, in order; empty if there are none.",
        arity: 2,
        result: uri::list_type,
        evaluate: Some(uri::query_params),
    },
    Function {
        name: "exec_command",
        signature: "exec_command(uri) → text",
        doc: "The command line of an exec request: all `command` parameters, decoded, joined by spaces; NULL if there are none.",
        arity: 1,
        result: || DataType::Utf8View,
        evaluate: Some(uri::exec_command),
    },
    Function {
        name: "body_kind",
        signature: "body_kind(body) → text",
        doc: "The `kind` of an object; NULL if it has none (a merge patch), is a list (a JSON patch) or is malformed.",
        arity: 1,
        result: || DataType::Utf8View,
        evaluate: Some(body::body_kind),
    },
    Function {
        name: "body_text",
        signature: "body_text(body, path) → text",
        doc: "The value at a path: members with dots (`spec.type`), names with dots in quotes (`metadata.annotations[\"a.b/c\"]`), elements of lists from 0 (`spec.containers[0].image`). A string, number or boolean as text, anything else as JSON; NULL if there is none.",
        arity: 2,
        result: || DataType::Utf8View,
        evaluate: Some(body::body_text),
    },
    Function {
        name: "pod_spec",
        signature: "pod_spec(resource, body) → text",
        doc: "The pod spec, as JSON, in a workload of this resource (pods, deployments, cronjobs, …); NULL if there is none.",
        arity: 2,
        result: || DataType::Utf8View,
        evaluate: Some(body::pod_spec),
    },
    Function {
        name: "containers",
        signature: "containers(pod_spec) → list<struct>",
        doc: "Containers, init containers and ephemeral containers of a pod spec: container_kind, container_name, image, command, args, privileged, allow_privilege_escalation, run_as_user, run_as_non_root, capabilities_added, capabilities_dropped, host_ports, seccomp_profile, env_secret_refs. If a container does not set run_as_user, run_as_non_root or seccomp_profile, the pod's value is used.",
        arity: 1,
        result: body::containers_type,
        evaluate: Some(body::containers),
    },
    Function {
        name: "role_ref",
        signature: "role_ref(body) → struct",
        doc: "The `roleRef` of a binding: api_group, kind, name; NULL if there is none.",
        arity: 1,
        result: body::role_ref_type,
        evaluate: Some(body::role_ref),
    },
    Function {
        name: "subjects",
        signature: "subjects(body) → list<struct>",
        doc: "The `subjects` of a binding: kind, api_group, namespace, name; NULL if the body has none.",
        arity: 1,
        result: body::subjects_type,
        evaluate: Some(body::subjects),
    },
    Function {
        name: "rules",
        signature: "rules(body) → list<struct>",
        doc: "The `rules` of a role: api_groups, resources, resource_names, non_resource_urls, verbs; NULL if the body has none.",
        arity: 1,
        result: body::rules_type,
        evaluate: Some(body::rules),
    },
    Function {
        name: "rbac_decision",
        signature: "rbac_decision(user, groups, verb, uri) → text",
        doc: "What the RBAC objects of the input decide about a request: `allow` or `forbid`. An error if there are none.",
        arity: 4,
        result: || DataType::Utf8View,
        evaluate: None,
    },
    Function {
        name: "rbac_reason",
        signature: "rbac_reason(user, groups, verb, uri) → text",
        doc: "The reason that the apiserver would log for the decision: the binding, role and subject that allow it.",
        arity: 4,
        result: || DataType::Utf8View,
        evaluate: None,
    },
    Function {
        name: "rbac_covers",
        signature: "rbac_covers(verb, uri, verbs, api_groups, resources, resource_names, non_resource_urls) → boolean",
        doc: "Does a rule, with the columns of `rbac_rules`, allow the request where it is bound?",
        arity: 7,
        result: || DataType::Boolean,
        evaluate: None,
    },
    Function {
        name: "json_diff",
        signature: "json_diff(before, after) → list<struct>",
        doc: "The fields in which two JSON texts differ: path, before, after (NULL where absent; null counts as absent). Objects are compared by member, and keys with dots are quoted: `metadata.annotations[\"a.b/c\"]`. Lists of objects with names are matched by name: `spec.containers[name=app].image`. Other lists of objects are compared without the elements that both have, and lists of anything else as a whole. After 1,000 differences there is a last one with the path `...`. NULL if either text is NULL or not JSON.",
        arity: 2,
        result: body::json_diff_type,
        evaluate: Some(body::json_diff),
    },
    Function {
        name: "json_elements",
        signature: "json_elements(json) → list<text>",
        doc: "The elements of a JSON list: strings, numbers and booleans as text, anything else as JSON; NULL if the text is not a list.",
        arity: 1,
        result: uri::list_type,
        evaluate: Some(body::json_elements),
    },
    Function {
        name: "certificate_id",
        signature: "certificate_id(certificate) → text",
        doc: "The `credential_id` of requests made with a certificate: `X509SHA256=` and its hash. Takes `status.certificate` of a certificate signing request, a PEM text in base64; NULL if it is not one.",
        arity: 1,
        result: || DataType::Utf8View,
        evaluate: Some(body::certificate_id),
    },
    Function {
        name: "principal",
        signature: "principal(username, impersonated_username) → text",
        doc: "The value of the column `principal`: the user who authenticated, or the impersonated one if that is a proxy that passes on the requests of its users.",
        arity: 2,
        result: || DataType::Utf8View,
        evaluate: Some(identity::principal),
    },
];

/// The functions in the form that DataFusion registers.
pub(crate) fn udfs() -> impl Iterator<Item = ScalarUDF> {
    let own = FUNCTIONS.iter().filter_map(|function| {
        Some(ScalarUDF::from(TextUdf {
            function,
            evaluate: function.evaluate?,
            signature: match function.name {
                // Its first argument is a number everywhere.
                "outcome" => Signature::user_defined(Volatility::Immutable),
                _ => Signature::string(function.arity, Volatility::Immutable),
            },
        }))
    });
    own.chain([date_trunc::udf()])
}

#[derive(Debug)]
struct TextUdf {
    function: &'static Function,
    evaluate: Evaluate,
    signature: Signature,
}

// The name identifies a function.
impl PartialEq for TextUdf {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for TextUdf {}

impl Hash for TextUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for TextUdf {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok((self.function.result)())
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types.len() == self.function.arity {
            true => Ok(vec![DataType::Utf8View; types.len()]),
            false => Err(DataFusionError::Plan(format!(
                "{} takes {} arguments",
                self.function.name, self.function.arity
            ))),
        }
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
        let result = (self.evaluate)(&views)?;
        if constant {
            return Ok(ColumnarValue::Scalar(
                datafusion::common::ScalarValue::try_from_array(&result, 0)?,
            ));
        }
        Ok(ColumnarValue::Array(result))
    }
}

/// Evaluates every function, for fuzzing.
pub(crate) fn call_all(first: &str, second: &str) {
    let (a, b) = (
        StringViewArray::from(vec![first]),
        StringViewArray::from(vec![second]),
    );
    for function in FUNCTIONS {
        if let Some(evaluate) = function.evaluate {
            let _ = evaluate(&[&a, &b, &a, &b][..function.arity]);
            let _ = evaluate(&[&b, &a, &b, &a][..function.arity]);
        }
    }
}

/// Maps a column of texts to another.
fn map_text(array: &StringViewArray, of: impl Fn(&str) -> Option<String>) -> ArrayRef {
    Arc::new(
        array
            .iter()
            .map(|text| of(text?))
            .collect::<StringViewArray>(),
    )
}

/// The rows of two columns of texts; `None` if either is NULL.
fn pairs<'a>(arrays: &[&'a StringViewArray]) -> impl Iterator<Item = Option<(&'a str, &'a str)>> {
    let (left, right) = (arrays[0], arrays[1]);
    left.iter()
        .zip(right.iter())
        .map(|(left, right)| Some((left?, right?)))
}
