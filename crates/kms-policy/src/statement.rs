//! One statement of a policy, compiled.

use crate::PolicyError;
use crate::action::{Action, ActionSet};
use crate::arn::ArnPattern;
use crate::condition::Condition;
use crate::decision::AccessRequest;
use crate::document::DocumentKind;
use crate::json::Json;
use crate::pattern::{Pattern, Syntax, Verdict};
use crate::principal::{Named, Principals};
use crate::request::RequestContext;
use std::sync::Arc;

/// What a statement does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// A compiled statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Arc<str>>,
    pub(crate) effect: Effect,
    /// Absent in identity policies, which belong to their principal.
    pub(crate) principals: Option<Principals>,
    actions: ActionSet,
    resources: Resources,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Resources {
    /// `*`, and trust policies, which name none.
    All,
    These(Vec<ArnPattern>),
    AllBut(Vec<ArnPattern>),
}

impl Statement {
    /// A statement that denies everything to everybody.
    pub(crate) fn deny_all(sid: &str) -> Self {
        Self {
            sid: Some(sid.into()),
            effect: Effect::Deny,
            principals: None,
            actions: ActionSet::default().complement(),
            resources: Resources::All,
            conditions: Vec::new(),
        }
    }

    pub(crate) fn parse(members: &[(String, Json)], kind: DocumentKind, variables: bool) -> Result<Self, PolicyError> {
        check_names(members, kind)?;
        let syntax = Syntax { variables, identity_keys: kind != DocumentKind::Key };
        let find = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let sid = find("Sid").map(|value| parse_sid(value, kind)).transpose()?;
        let effect = match find("Effect").and_then(Json::text) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(PolicyError::Effect),
        };
        let principals = match (kind, find("Principal"), find("NotPrincipal")) {
            (DocumentKind::Identity, _, _) => None,
            (_, Some(value), None) => Some(Principals::parse(value, false)?),
            (_, None, Some(value)) => Some(Principals::parse(value, true)?),
            (_, None, None) => return Err(PolicyError::NoPrincipal),
            (_, Some(_), Some(_)) => return Err(PolicyError::InvalidElement("Principal")),
        };
        let actions = match (find("Action"), find("NotAction")) {
            (Some(value), None) => parse_actions(value)?,
            (None, Some(value)) => parse_actions(value)?.complement(),
            (None, None) => return Err(PolicyError::NoAction),
            (Some(_), Some(_)) => return Err(PolicyError::InvalidElement("Action")),
        };
        let resources = match (find("Resource"), find("NotResource")) {
            (Some(value), None) => Resources::these(parse_resources(value, syntax)?),
            (None, Some(value)) => Resources::AllBut(parse_resources(value, syntax)?),
            (None, None) if kind == DocumentKind::Trust => Resources::All,
            (None, None) => return Err(PolicyError::NoResource),
            (Some(_), Some(_)) => return Err(PolicyError::InvalidElement("Resource")),
        };
        // In a key policy `*` is the key; a Deny for a bucket or an alias would protect nothing.
        if kind == DocumentKind::Key && effect == Effect::Deny && !resources.may_be_key() {
            return Err(PolicyError::InvalidElement("Resource"));
        }
        let conditions = match find("Condition") {
            None => Vec::new(),
            Some(value) => Condition::parse_block(value, syntax)?,
        };
        Ok(Self { sid, effect, principals, actions, resources, conditions })
    }

    /// Whether the statement applies to a request, and how it names the caller: as [`Named::Exactly`] when it belongs to
    /// the caller.
    pub(crate) fn applies(&self, request: &AccessRequest<'_>, resource: Option<&str>) -> Option<Named> {
        let context = request.context;
        if !self.actions.contains(context.action()) {
            return None;
        }
        let named = match &self.principals {
            None => Named::Exactly,
            Some(principals) => principals.named(self.effect, request)?,
        };
        let holds = self.resources.include(self.effect, resource, context)
            && self.conditions.iter().all(|condition| condition.holds(self.effect, context));
        holds.then_some(named)
    }
}

impl Resources {
    fn these(list: Vec<ArnPattern>) -> Self {
        if list.iter().any(ArnPattern::is_any) { Self::All } else { Self::These(list) }
    }

    fn may_be_key(&self) -> bool {
        match self {
            Self::All | Self::AllBut(_) => true,
            Self::These(list) => list.iter().all(ArnPattern::may_be_key),
        }
    }

    /// Whether the element includes the resource of a request; one without a resource is authorised on `*`.
    fn include(&self, effect: Effect, resource: Option<&str>, context: &RequestContext<'_>) -> bool {
        let compare = |pattern: &ArnPattern| match resource {
            Some(arn) => pattern.compare(arn, context),
            None => pattern.is_any().into(),
        };
        match (self, effect) {
            (Self::All, _) => true,
            (Self::These(list), Effect::Allow) => list.iter().any(|one| compare(one) == Verdict::Matches),
            (Self::These(list), Effect::Deny) => {
                list.iter().any(|one| matches!(compare(one), Verdict::Matches | Verdict::Incomparable))
            }
            // What cannot be compared is not known to be another resource.
            (Self::AllBut(list), Effect::Allow) => list.iter().all(|one| compare(one) == Verdict::Differs),
            (Self::AllBut(list), Effect::Deny) => list.iter().all(|one| compare(one) != Verdict::Matches),
        }
    }
}

fn check_names(members: &[(String, Json)], kind: DocumentKind) -> Result<(), PolicyError> {
    for (name, _) in members {
        let known = match name.as_str() {
            "Sid" | "Effect" | "Action" | "NotAction" | "Condition" => true,
            "Principal" | "NotPrincipal" => kind != DocumentKind::Identity,
            "Resource" | "NotResource" => kind != DocumentKind::Trust,
            _ => false,
        };
        if !known {
            return Err(PolicyError::UnknownElement(name.clone()));
        }
    }
    Ok(())
}

/// Any text in a key policy, letters and digits in a policy of IAM (AWS KMS Developer Guide, "Key policy format").
fn parse_sid(value: &Json, kind: DocumentKind) -> Result<Arc<str>, PolicyError> {
    match value {
        Json::Text(sid) if kind == DocumentKind::Key || sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Ok(sid.as_str().into())
        }
        _ => Err(PolicyError::InvalidElement("Sid")),
    }
}

fn texts<'a>(value: &'a Json, name: &'static str) -> Result<Vec<&'a str>, PolicyError> {
    let texts = value.one_or_many().iter().map(|value| value.text().ok_or(PolicyError::InvalidElement(name)));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    if texts.is_empty() { Err(PolicyError::InvalidElement(name)) } else { Ok(texts) }
}

fn parse_resources(value: &Json, syntax: Syntax) -> Result<Vec<ArnPattern>, PolicyError> {
    texts(value, "Resource")?.into_iter().map(|text| ArnPattern::parse_resource(text, syntax)).collect()
}

/// The actions that the patterns match. Case does not count; variables are not filled in.
fn parse_actions(value: &Json) -> Result<ActionSet, PolicyError> {
    let mut set = ActionSet::default();
    for text in texts(value, "Action")? {
        let has_form = text.split_once(':').is_some_and(|(vendor, name)| {
            let letters = |text: &str| {
                !text.is_empty()
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '*' | '?' | '-' | '_'))
            };
            letters(vendor) && letters(name)
        });
        if text != "*" && !has_form {
            return Err(PolicyError::NoVendor);
        }
        let pattern = Pattern::glob(&text.to_ascii_lowercase(), Syntax { variables: false, identity_keys: false })?;
        for action in Action::all() {
            if pattern.matches_plainly(&action.as_str().to_ascii_lowercase()) {
                set.insert(action);
            }
        }
    }
    Ok(set)
}
