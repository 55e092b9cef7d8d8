//! Single uses → few rules that grant exactly these: no verb, name or resource more.
//!
//! Rules are products of their lists, so lists are merged only where all else is equal. Not
//! responsible for: which uses to grant (`suggest.rs`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::rbac::objects::RbacRule;
use crate::rbac::request::AccessRequest;
use crate::rbac::usage::UseRecord;

/// One thing to grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum GrantedAtom {
    /// A verb on a resource.
    Resource {
        api_group: String,
        resource: String,
        /// `None` is every name.
        name: Option<String>,
        verb: String,
    },
    /// A verb on a path.
    Url { url: String, verb: String },
}

/// Why a request cannot be granted alone: what it names is a pattern in a rule.
pub(crate) fn pattern_in(request: &AccessRequest) -> Option<&'static str> {
    let resource = request.combined_resource();
    if request.verb == "*" {
        Some("the verb `*` would grant every verb")
    } else if request
        .path
        .as_ref()
        .is_some_and(|path| path.ends_with('*'))
    {
        Some("the path ends with `*` and would grant every path that begins so")
    } else if request.api_group == "*" {
        Some("the API group `*` would grant every group")
    } else if request.path.is_none() && (resource == "*" || resource.starts_with("*/")) {
        Some("the resource `*` would grant every resource")
    } else {
        None
    }
}

impl GrantedAtom {
    /// What grants the request: its name if it has one and `with_name`.
    pub(crate) fn of(request: &AccessRequest, name: Option<String>) -> Self {
        match &request.path {
            Some(path) => Self::Url {
                url: path.clone(),
                verb: request.verb.clone(),
            },
            None => Self::Resource {
                api_group: request.api_group.clone(),
                resource: request.combined_resource(),
                name,
                verb: request.verb.clone(),
            },
        }
    }
}

/// The lists of a rule while they are merged. `None` in `names` cannot meet a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct RuleBox {
    groups: BTreeSet<String>,
    resources: BTreeSet<String>,
    names: BTreeSet<Option<String>>,
    urls: BTreeSet<String>,
    verbs: BTreeSet<String>,
}

/// Which list of a box.
#[derive(Clone, Copy)]
enum BoxList {
    Verbs,
    Names,
    Resources,
    Groups,
    Urls,
}

impl RuleBox {
    fn list(&mut self, which: BoxList) -> BTreeSet<Option<String>> {
        let some =
            |list: &mut BTreeSet<String>| std::mem::take(list).into_iter().map(Some).collect();
        match which {
            BoxList::Verbs => some(&mut self.verbs),
            BoxList::Names => std::mem::take(&mut self.names),
            BoxList::Resources => some(&mut self.resources),
            BoxList::Groups => some(&mut self.groups),
            BoxList::Urls => some(&mut self.urls),
        }
    }

    fn set(&mut self, which: BoxList, list: BTreeSet<Option<String>>) {
        match which {
            BoxList::Verbs => self.verbs = list.into_iter().flatten().collect(),
            BoxList::Names => self.names = list,
            BoxList::Resources => self.resources = list.into_iter().flatten().collect(),
            BoxList::Groups => self.groups = list.into_iter().flatten().collect(),
            BoxList::Urls => self.urls = list.into_iter().flatten().collect(),
        }
    }
}

/// Rules that grant the atoms and nothing else, each with what it was used for.
pub(crate) fn compact(atoms: BTreeMap<GrantedAtom, UseRecord>) -> Vec<(RbacRule, UseRecord)> {
    let mut boxes: Vec<(RuleBox, UseRecord)> = atoms
        .into_iter()
        .map(|(atom, record)| (box_of(atom), record))
        .collect();
    for which in [
        BoxList::Verbs,
        BoxList::Names,
        BoxList::Resources,
        BoxList::Groups,
        BoxList::Urls,
    ] {
        boxes = merged(boxes, which);
    }
    boxes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let rules = boxes.into_iter().map(|(own, record)| {
        let rule = RbacRule {
            verbs: own.verbs.into_iter().collect(),
            api_groups: own.groups.into_iter().collect(),
            resources: own.resources.into_iter().collect(),
            resource_names: own.names.into_iter().flatten().collect(),
            non_resource_urls: own.urls.into_iter().collect(),
        };
        (rule, record)
    });
    rules.collect()
}

fn box_of(atom: GrantedAtom) -> RuleBox {
    let mut own = RuleBox {
        groups: BTreeSet::new(),
        resources: BTreeSet::new(),
        names: BTreeSet::new(),
        urls: BTreeSet::new(),
        verbs: BTreeSet::new(),
    };
    match atom {
        GrantedAtom::Resource {
            api_group,
            resource,
            name,
            verb,
        } => {
            own.groups.insert(api_group);
            own.resources.insert(resource);
            own.names.insert(name);
            own.verbs.insert(verb);
        }
        GrantedAtom::Url { url, verb } => {
            own.urls.insert(url);
            own.verbs.insert(verb);
        }
    }
    own
}

/// A list of several boxes, and their uses together.
type JoinedList = (BTreeSet<Option<String>>, UseRecord);

/// Joins boxes that differ in one list only. Every name and single names stay apart.
fn merged(boxes: Vec<(RuleBox, UseRecord)>, which: BoxList) -> Vec<(RuleBox, UseRecord)> {
    let mut found: BTreeMap<(RuleBox, bool), JoinedList> = BTreeMap::new();
    for (mut own, record) in boxes {
        let list = own.list(which);
        let is_any = matches!(which, BoxList::Names) && list.contains(&None);
        let (lists, records) = found.entry((own, is_any)).or_default();
        lists.extend(list);
        records.merge(&record);
    }
    let joined = found.into_iter().map(|((mut own, _), (list, record))| {
        own.set(which, list);
        (own, record)
    });
    joined.collect()
}
