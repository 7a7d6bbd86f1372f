//! One statement of a policy, compiled.

use crate::condition::Condition;
use crate::context::Context;
use crate::document::DocumentKind;
use crate::json::Json;
use crate::pattern::Pattern;
use crate::principal::{Named, Principal, Principals};
use crate::{PolicyError, arn};

/// What a statement does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// A compiled statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sid: Option<String>,
    pub(crate) effect: Effect,
    /// Absent in identity policies, which belong to their principal.
    pub(crate) principals: Option<Principals>,
    actions: Choice<Pattern>,
    /// Absent in trust policies.
    resources: Option<Choice<arn::ArnPattern>>,
    conditions: Vec<Condition>,
}

/// An element or its `Not…` form.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice<T> {
    These(Vec<T>),
    AllBut(Vec<T>),
}

impl<T> Choice<T> {
    fn includes(&self, matches: impl FnMut(&T) -> bool) -> bool {
        match self {
            Self::These(list) => list.iter().any(matches),
            Self::AllBut(list) => !list.iter().any(matches),
        }
    }
}

impl Statement {
    pub(crate) fn parse(members: &[(String, Json)], kind: DocumentKind, variables: bool) -> Result<Self, PolicyError> {
        check_names(members, kind)?;
        let find = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let sid = match find("Sid") {
            None => None,
            Some(Json::Text(sid)) => Some(sid.clone()),
            Some(_) => return Err(PolicyError::InvalidElement("Sid")),
        };
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
        let Some(actions) = choice(find("Action"), find("NotAction"), "Action", parse_action)? else {
            return Err(PolicyError::NoAction);
        };
        let resource = |text: &str| {
            arn::ArnPattern::parse_resource(text, variables).ok_or(PolicyError::InvalidElement("Resource"))
        };
        let resources = choice(find("Resource"), find("NotResource"), "Resource", resource)?;
        if resources.is_none() && kind != DocumentKind::Trust {
            return Err(PolicyError::NoResource);
        }
        let conditions = match find("Condition") {
            None => Vec::new(),
            Some(value) => Condition::parse_block(value, variables)?,
        };
        Ok(Self { sid, effect, principals, actions, resources, conditions })
    }

    /// Whether the statement applies to a request, and how it names the caller: as [`Named::Exactly`] when it belongs to
    /// the caller.
    pub(crate) fn applies(
        &self,
        principal: &Principal,
        action: &str,
        resource: Option<&str>,
        context: &dyn Context,
    ) -> Option<Named> {
        let named = match &self.principals {
            None => Named::Exactly,
            Some(principals) => principals.named(principal)?,
        };
        let action = self.actions.includes(|pattern| pattern.matches_lowercase(action, context));
        let resource = match (&self.resources, resource) {
            (Some(resources), Some(arn)) => resources.includes(|pattern| pattern.matches(arn, context)),
            // An action without a resource is authorised on `*`.
            (Some(resources), None) => resources.includes(arn::ArnPattern::is_any),
            (None, _) => true,
        };
        let holds = action && resource && self.conditions.iter().all(|condition| condition.holds(context));
        holds.then_some(named)
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

fn choice<T>(
    these: Option<&Json>,
    all_but: Option<&Json>,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, PolicyError>,
) -> Result<Option<Choice<T>>, PolicyError> {
    let read = |value: &Json| {
        let texts = value.one_or_many();
        if texts.is_empty() {
            return Err(PolicyError::InvalidElement(name));
        }
        let text = |value: &Json| parse(value.text().ok_or(PolicyError::InvalidElement(name))?);
        texts.iter().map(text).collect::<Result<Vec<T>, _>>()
    };
    match (these, all_but) {
        (None, None) => Ok(None),
        (Some(value), None) => Ok(Some(Choice::These(read(value)?))),
        (None, Some(value)) => Ok(Some(Choice::AllBut(read(value)?))),
        (Some(_), Some(_)) => Err(PolicyError::InvalidElement(name)),
    }
}

/// Action names are compared without regard to case; variables are not filled in.
fn parse_action(text: &str) -> Result<Pattern, PolicyError> {
    let has_form = text.split_once(':').is_some_and(|(vendor, name)| {
        let letters =
            |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '*' | '?' | '-' | '_'));
        !vendor.is_empty() && !name.is_empty() && letters(vendor) && letters(name)
    });
    if text == "*" || has_form {
        Ok(Pattern::glob(&text.to_ascii_lowercase(), false))
    } else {
        Err(PolicyError::ActionForm)
    }
}
