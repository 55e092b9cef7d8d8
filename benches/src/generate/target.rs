//! The objects that a request is about, parsed from its path as the apiserver does.

/// A path that names API objects; the parts may hold `<fields>`.
#[derive(Debug, Default)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) namespace: Option<String>,
    pub(super) resource: String,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
}

impl Target {
    /// `None`: a path that is not about objects, such as `/metrics` or `/apis/apps/v1`.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let path = decode(path);
        let mut segments = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(str::to_owned)
            .peekable();
        let group = match segments.next()?.as_str() {
            "api" => String::new(),
            "apis" => segments.next()?,
            _ => return None,
        };
        let version = segments.next()?;
        segments.next_if_eq("watch");
        let mut target = Self {
            group,
            version,
            ..Self::default()
        };
        let first = segments.next()?;
        if first == "namespaces" {
            target.namespace = segments.next();
        }
        match segments.peek() {
            _ if first != "namespaces" => target.resource = first,
            Some(next) if next != "status" && next != "finalize" => {
                target.resource = segments.next()?
            }
            // A namespace itself, which is in itself.
            _ => {
                target.resource = first;
                target.name.clone_from(&target.namespace);
            }
        }
        if target.name.is_none() {
            target.name = segments.next();
        }
        target.subresource = segments.next();
        if target.name.is_none() {
            target.name = query
                .split('&')
                .find_map(|parameter| parameter.strip_prefix("fieldSelector=metadata.name%3D"))
                .map(str::to_owned);
        }
        Some(target)
    }

    /// Whether the apiserver marks its use with an annotation.
    pub(super) fn is_deprecated(&self) -> bool {
        let core = self.group.is_empty()
            && matches!(self.resource.as_str(), "endpoints" | "componentstatuses");
        core || self.group == "stable.example.com" && self.version == "v1beta1"
    }

    /// `pods/log`
    pub(super) fn resource_and_subresource(&self) -> String {
        match &self.subresource {
            Some(subresource) => format!("{}/{subresource}", self.resource),
            None => self.resource.clone(),
        }
    }

    /// `deployments.apps`
    pub(super) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// The field that holds the object's UID.
    pub(super) fn uid(&self) -> &'static str {
        match self.resource.as_str() {
            "deployments" => "<app.uid>",
            "replicasets" => "<rs.uid>",
            "pods" => "<pod.uid>",
            "services" | "endpoints" | "endpointslices" => "<service.uid>",
            "jobs" => "<job.uid>",
            "nodes" => "<node.uid>",
            "namespaces" => "<ns.uid>",
            _ => "<uid>",
        }
    }
}

/// Percent-decoding.
fn decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if *byte == b'%' => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
