//! YAML documents: bytes in, the first document as JSON-typed values out.
//!
//! Follows go-yaml v2 and `sigs.k8s.io/yaml`: later keys and merges overwrite earlier ones, aliases
//! are expanded within limits, keys become text. Not responsible for: syntax (`nodes.rs`), scalars
//! (`scalar.rs`).

use std::collections::HashMap;

use super::nodes::{YamlContent, YamlNode, read_nodes};
use super::scalar::resolve_scalar;
use super::value::{DocumentData, DocumentMember, DocumentValue, MAXIMUM_DEPTH, SyntaxProblem};

type Repeated = Vec<(usize, String)>;

/// Reads the first document of a YAML stream and the names that its mappings repeat.
pub(super) fn read_yaml(bytes: &[u8]) -> Result<(DocumentValue, Repeated), SyntaxProblem> {
    let tree = YamlTree::read(bytes)?;
    let mut expansion = Expansion {
        tree: &tree,
        repeated: Vec::new(),
        expanding: vec![false; tree.nodes.len()],
        visits: 0,
        alias_visits: 0,
        alias_depth: 0,
        in_key: false,
    };
    let root = match tree.root {
        Some(root) => expansion.value(root, 0)?,
        None => DocumentValue {
            line: 1,
            data: DocumentData::Null,
        },
    };
    Ok((root, expansion.repeated))
}

/// The nodes of a document, each in the list of the collection that holds it.
struct YamlTree {
    nodes: Vec<YamlNode>,
    root: Option<usize>,
}

impl YamlTree {
    fn read(bytes: &[u8]) -> Result<Self, SyntaxProblem> {
        let (nodes, root) = read_nodes(bytes)?;
        Ok(Self { nodes, root })
    }
}

/// A mapping while it is filled: members in order, and where each key lies.
#[derive(Default)]
struct OpenMapping {
    members: Vec<DocumentMember>,
    places: HashMap<(char, String), usize>,
}

struct Expansion<'a> {
    tree: &'a YamlTree,
    repeated: Repeated,
    /// Whether a node is an alias that is being expanded.
    expanding: Vec<bool>,
    visits: usize,
    alias_visits: usize,
    alias_depth: usize,
    /// Whether a key is read: infinity can be a key, though not a value.
    in_key: bool,
}

impl Expansion<'_> {
    fn node(&self, index: usize) -> Result<&YamlNode, SyntaxProblem> {
        self.tree
            .nodes
            .get(index)
            .ok_or_else(|| SyntaxProblem::new(1, "the document is not a tree"))
    }

    fn value(&mut self, index: usize, depth: usize) -> Result<DocumentValue, SyntaxProblem> {
        let tree = self.tree;
        let node = self.node(index)?;
        let line = node.line;
        self.count_visit(line, depth)?;
        let node = tree.nodes.get(index).map(|node| &node.content);
        let data = match node {
            Some(YamlContent::Scalar { text, tag, plain }) => {
                let data = resolve_scalar(text, tag.as_deref(), *plain)
                    .map_err(|message| SyntaxProblem::new(line, message))?;
                if !self.in_key {
                    refuse_infinite(line, &data)?;
                }
                data
            }
            Some(YamlContent::Sequence(children)) => {
                let mut elements = Vec::with_capacity(children.len());
                for &child in children {
                    elements.push(self.value(child, depth + 1)?);
                }
                DocumentData::List(elements)
            }
            Some(YamlContent::Mapping(children)) => {
                let mut mapping = OpenMapping::default();
                self.fill(&mut mapping, children, depth)?;
                DocumentData::Object(mapping.members)
            }
            Some(YamlContent::Alias { name, target }) => {
                self.enter(index, line, name)?;
                let value = self.value(*target, depth + 1)?;
                self.leave(index);
                return Ok(DocumentValue { line, ..value });
            }
            None => DocumentData::Null,
        };
        Ok(DocumentValue { line, data })
    }

    /// go-yaml's guard against alias bombs: above 1,000 visits at most 99% may come from aliases,
    /// falling to 10% at 4,000,000.
    fn count_visit(&mut self, line: usize, depth: usize) -> Result<(), SyntaxProblem> {
        if depth > 2 * MAXIMUM_DEPTH {
            return Err(SyntaxProblem::new(line, "exceeded max depth"));
        }
        self.visits += 1;
        self.alias_visits += usize::from(self.alias_depth > 0);
        if self.alias_visits <= 100 || self.visits <= 1_000 {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let (aliases, visits) = (self.alias_visits as f64, self.visits as f64);
        let above = ((visits - 400_000.0) / 3_600_000.0).clamp(0.0, 1.0);
        if aliases / visits > 0.99 - 0.89 * above {
            let message = "document contains excessive aliasing";
            return Err(SyntaxProblem::new(line, message));
        }
        Ok(())
    }

    fn enter(&mut self, index: usize, line: usize, name: &str) -> Result<(), SyntaxProblem> {
        if self.expanding.get(index) == Some(&true) {
            let message = format!("anchor '{name}' value contains itself");
            return Err(SyntaxProblem::new(line, message));
        }
        if let Some(expanding) = self.expanding.get_mut(index) {
            *expanding = true;
        }
        self.alias_depth += 1;
        Ok(())
    }

    fn leave(&mut self, index: usize) {
        if let Some(expanding) = self.expanding.get_mut(index) {
            *expanding = false;
        }
        self.alias_depth -= 1;
    }

    fn fill(
        &mut self,
        mapping: &mut OpenMapping,
        children: &[usize],
        depth: usize,
    ) -> Result<(), SyntaxProblem> {
        for pair in children.chunks(2) {
            let &[key, value] = pair else {
                return Ok(());
            };
            if self.is_merge_key(key)? {
                self.merge(mapping, value, depth)?;
                continue;
            }
            let within_key = std::mem::replace(&mut self.in_key, true);
            let key = self.value(key, depth + 1)?;
            self.in_key = within_key;
            let (kind, name) = key_text(&key)?;
            let value = self.value(value, depth + 1)?;
            let member = DocumentMember {
                line: key.line,
                name: name.clone(),
                value,
            };
            match mapping.places.get(&(kind, name.clone())) {
                Some(&place) => {
                    self.repeated.push((key.line, name));
                    if let Some(earlier) = mapping.members.get_mut(place) {
                        *earlier = member;
                    }
                }
                None => {
                    mapping.places.insert((kind, name), mapping.members.len());
                    mapping.members.push(member);
                }
            }
        }
        Ok(())
    }

    fn is_merge_key(&self, key: usize) -> Result<bool, SyntaxProblem> {
        Ok(match &self.node(key)?.content {
            YamlContent::Scalar { text, tag, plain } => {
                let merge_tag = tag.as_deref() == Some("tag:yaml.org,2002:merge");
                text == "<<" && (*plain || merge_tag)
            }
            _ => false,
        })
    }

    /// Lays what `<<` names over what the mapping holds so far, as go-yaml v2 does.
    fn merge(
        &mut self,
        mapping: &mut OpenMapping,
        source: usize,
        depth: usize,
    ) -> Result<(), SyntaxProblem> {
        let tree = self.tree;
        let line = self.node(source)?.line;
        let refuse = || {
            let message = "map merge requires map or sequence of maps as the value";
            Err(SyntaxProblem::new(line, message))
        };
        self.count_visit(line, depth)?;
        match tree.nodes.get(source).map(|node| &node.content) {
            Some(YamlContent::Mapping(children)) => self.fill(mapping, children, depth + 1),
            Some(YamlContent::Alias { name, target }) => {
                let Some(YamlContent::Mapping(children)) =
                    tree.nodes.get(*target).map(|node| &node.content)
                else {
                    return refuse();
                };
                self.enter(source, line, name)?;
                self.fill(mapping, children, depth + 1)?;
                self.leave(source);
                Ok(())
            }
            Some(YamlContent::Sequence(sources)) => {
                for &one in sources.iter().rev() {
                    if let YamlContent::Sequence(_) | YamlContent::Scalar { .. } =
                        self.node(one)?.content
                    {
                        return refuse();
                    }
                    self.merge(mapping, one, depth + 1)?;
                }
                Ok(())
            }
            _ => refuse(),
        }
    }
}

/// Numbers that JSON cannot hold.
fn refuse_infinite(line: usize, data: &DocumentData) -> Result<(), SyntaxProblem> {
    match data {
        DocumentData::Number(number) if number.ends_with(['N', 'f']) => Err(SyntaxProblem::new(
            line,
            format!("json: unsupported value: {number}"),
        )),
        _ => Ok(()),
    }
}

/// The largest number that can be a key.
const MAXIMUM_KEY: u64 = i64::MAX.unsigned_abs();

/// A key as text, with its kind: go-yaml keeps `1` and `"1"` apart.
fn key_text(key: &DocumentValue) -> Result<(char, String), SyntaxProblem> {
    match &key.data {
        DocumentData::Text(text) => Ok(('s', text.clone())),
        DocumentData::Bool(value) => Ok(('b', value.to_string())),
        DocumentData::Number(number) if number.parse::<u64>().is_ok_and(|n| n > MAXIMUM_KEY) => {
            Err(SyntaxProblem::new(
                key.line,
                format!("unsupported map key: {number}"),
            ))
        }
        DocumentData::Number(number) => Ok((
            'n',
            match number.as_str() {
                "NaN" => ".nan".to_owned(),
                "+Inf" => ".inf".to_owned(),
                "-Inf" => "-.inf".to_owned(),
                number => number.to_owned(),
            },
        )),
        other => Err(SyntaxProblem::new(
            key.line,
            format!("unsupported map key: {}", other.kind()),
        )),
    }
}
