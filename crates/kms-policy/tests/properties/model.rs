//! The rules of a decision, written down a second time and as plainly as possible.

use crate::world::{Actions, Ask, Caller, Condition, Effect, Grant, Name, Resource, Statement, World};

/// How far a statement or grant that names the caller goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// To this user or session itself.
    Direct,
    /// To everybody or to the role: narrowed by boundary and session policy.
    Narrowed,
    /// To the account: identity policies decide.
    Delegated,
}

/// Whether the request is allowed.
pub(crate) fn allows(world: &World) -> bool {
    let is_own = world.caller != Caller::Eve;
    if !is_own && world.ask == Ask::DisableKey {
        return false;
    }
    let key_reaches = reaches(world, &world.key_policy);
    let mut narrowers = world.boundary.iter().chain(&world.session);
    let is_denied = denies(world, &world.key_policy, true)
        || denies(world, &world.identity, false)
        || narrowers.any(|policy| denies(world, policy, false));
    if is_denied {
        return false;
    }
    let session_allows = world.session.as_ref().is_none_or(|policy| allows_plainly(world, policy));
    let is_within = session_allows && world.boundary.as_ref().is_none_or(|policy| allows_plainly(world, policy));
    let identity_allows = world.caller == Caller::Root || allows_plainly(world, &world.identity);
    let grant_reaches: Vec<Reach> = world
        .grants
        .iter()
        .filter(|grant| world.ask.operation().is_some_and(|operation| grant.operations.contains(&operation)))
        .filter(|grant| Grant::names(grant.grantee, world.caller))
        .map(|grant| reach(grant.grantee, world.caller))
        .collect();
    if !is_own {
        return is_within && identity_allows && !(key_reaches.is_empty() && grant_reaches.is_empty());
    }
    // A direct allowance is not narrowed, except that a session policy narrows what names a user and not the session.
    let is_direct = key_reaches.contains(&Reach::Direct);
    if is_direct {
        return world.caller == Caller::Session || session_allows;
    }
    let by_name =
        key_reaches.contains(&Reach::Narrowed) || grant_reaches.iter().any(|reach| *reach != Reach::Delegated);
    let by_account = key_reaches.contains(&Reach::Delegated) || grant_reaches.contains(&Reach::Delegated);
    is_within && (by_name || (by_account && identity_allows))
}

fn reaches(world: &World, policy: &[Statement]) -> Vec<Reach> {
    let applying = policy.iter().filter(|statement| statement.effect == Effect::Allow && holds(world, statement));
    applying.filter_map(|statement| named(world, statement)).collect()
}

fn denies(world: &World, policy: &[Statement], has_principals: bool) -> bool {
    let applying = policy.iter().filter(|statement| statement.effect == Effect::Deny && holds(world, statement));
    applying.filter(|statement| !has_principals || named(world, statement).is_some()).count() > 0
}

/// Whether a policy without principals allows.
fn allows_plainly(world: &World, policy: &[Statement]) -> bool {
    policy.iter().any(|statement| statement.effect == Effect::Allow && holds(world, statement))
}

fn holds(world: &World, statement: &Statement) -> bool {
    let action = match statement.actions {
        Actions::All => true,
        Actions::Encrypt => world.ask == Ask::Encrypt,
        Actions::De => matches!(world.ask, Ask::Decrypt | Ask::DescribeKey),
        Actions::NotDisableKey => world.ask != Ask::DisableKey,
    };
    let resource = matches!(statement.resource, Resource::Any | Resource::ThisKey);
    // DescribeKey and DisableKey have no encryption context.
    let pair = world.pair.filter(|_| matches!(world.ask, Ask::Encrypt | Ask::Decrypt));
    let condition = match statement.condition {
        Condition::None => true,
        Condition::PairIsOne => pair == Some("1"),
        Condition::PairIsNotOne => pair != Some("1"),
        Condition::HasContext => pair.is_some(),
        Condition::Secure => world.is_secure,
    };
    action && resource && condition
}

/// How the principals of a key policy's statement reach the caller.
fn named(world: &World, statement: &Statement) -> Option<Reach> {
    let caller = world.caller;
    let names = |name: &Name| statement.names.contains(name);
    let is_named = |name: &Name| *name == Name::Everybody || Grant::names(*name, caller);
    if !statement.is_not_principal {
        let reaches: Vec<Reach> =
            statement.names.iter().filter(|name| is_named(name)).map(|name| reach(*name, caller)).collect();
        return [Reach::Direct, Reach::Narrowed, Reach::Delegated].into_iter().find(|reach| reaches.contains(reach));
    }
    let is_exempt = match statement.effect {
        Effect::Allow => statement.names.iter().any(is_named),
        // Every form of the caller must be listed, and a boundary undoes the exemption.
        Effect::Deny => {
            let forms: &[Name] = match caller {
                Caller::Ada => &[Name::Ada, Name::Account],
                Caller::Root => &[Name::Account],
                Caller::Session => &[Name::Session, Name::Role, Name::Account],
                Caller::Eve => &[Name::Eve, Name::OtherAccount],
            };
            (names(&Name::Everybody) || forms.iter().all(names)) && world.boundary.is_none()
        }
    };
    (!is_exempt).then_some(Reach::Narrowed)
}

/// How a name that stands for the caller reaches it.
fn reach(name: Name, caller: Caller) -> Reach {
    match (name, caller) {
        (Name::Account, Caller::Root) => Reach::Direct,
        (Name::Account | Name::OtherAccount, _) => Reach::Delegated,
        (Name::Everybody | Name::Role, _) => Reach::Narrowed,
        (Name::Ada | Name::Bob | Name::Session | Name::Eve, _) => Reach::Direct,
    }
}
