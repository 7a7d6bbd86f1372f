//! A naive model of single-Region keys, written from AWS's rules and not from the core: imported material, grants and last
//! uses. Slow and simple: it looks at everything every time.

use std::collections::{BTreeMap, BTreeSet};

/// What a client asks, with small numbers for names.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants are the API's operations, the fields their parameters")]
pub enum Ask {
    CreateKey { key: u8, kind: Kind },
    Import { key: u8, material: u8, new: bool, days: Option<u64> },
    DeleteImported { key: u8, material: Option<u8> },
    Expire { key: u8, material: u8 },
    RotateToImported { key: u8 },
    Enable { key: u8 },
    Disable { key: u8 },
    ScheduleDeletion { key: u8 },
    CancelDeletion { key: u8 },
    Destroy { key: u8 },
    CreateGrant { key: u8, grant: u8, name: Option<u8>, parameters: u8 },
    DeleteGrant { key: u8, grant: u8 },
    RecordUse { uses: Vec<(u8, u64)> },
}

/// What a key is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Symmetric, with material made here.
    Own,
    /// Symmetric, with imported material.
    External,
    /// A MAC key, with imported material.
    ExternalMac,
}

/// Most grants on a key.
pub const GRANT_LIMIT: usize = 3;
/// Most on-demand rotations of a key.
pub const ROTATION_LIMIT: u32 = 2;
/// How long a deletion waits.
pub const WINDOW: u64 = 20;

/// What the model says to an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes effect, or there is nothing to do.
    Done,
    /// A grant like it exists.
    GrantExists(u8),
    /// It is refused.
    Refused,
}

/// A Region's single-Region keys.
#[derive(Clone, Debug, Default)]
pub struct RegionModel {
    /// By number.
    pub keys: BTreeMap<u8, ModelKey>,
}

/// One key.
#[derive(Clone, Debug)]
pub struct ModelKey {
    kind: Kind,
    disabled: bool,
    /// When the key goes.
    pub deletion: Option<u64>,
    /// Versions that belong to the key, in the order of their rotation.
    pub permanent: Vec<u8>,
    /// A version that waits for its rotation.
    pub pending: Option<u8>,
    /// Imported bytes that are here, with their end.
    pub present: BTreeMap<u8, Option<u64>>,
    rotations: u32,
    /// Grants: name and parameters.
    pub grants: BTreeMap<u8, (Option<u8>, u8)>,
    /// The last use.
    pub used: Option<u64>,
}

impl ModelKey {
    fn is_external(&self) -> bool {
        self.kind != Kind::Own
    }

    /// PendingImport.
    #[must_use]
    pub fn waits(&self) -> bool {
        let complete = !self.permanent.is_empty() && self.permanent.iter().all(|m| self.present.contains_key(m));
        self.is_external() && !complete && self.deletion.is_none()
    }

    /// Disabled.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.disabled && !self.waits() && self.deletion.is_none()
    }

    fn in_use(&self) -> bool {
        !self.waits() && !self.disabled && self.deletion.is_none()
    }

    fn knows(&self, material: u8) -> bool {
        self.permanent.contains(&material) || self.pending == Some(material)
    }

    fn lose(&mut self, material: u8) {
        self.present.remove(&material);
        if self.pending == Some(material) {
            self.pending = None;
        }
    }

    fn may_import(&self, material: u8, new: bool) -> bool {
        match self.kind {
            Kind::Own => false,
            Kind::ExternalMac => self.permanent.is_empty() || self.knows(material),
            Kind::External if new => !self.knows(material) && self.pending.is_none(),
            Kind::External => self.knows(material),
        }
    }
}

impl RegionModel {
    /// Takes in what a client asks at a time.
    pub fn judge(&mut self, now: u64, ask: &Ask) -> Verdict {
        if let Ask::CreateGrant { key, grant, name, parameters } = ask {
            return self.create_grant(*key, *grant, *name, *parameters);
        }
        let verdict = if self.take_in(now, ask).is_some() { Verdict::Done } else { Verdict::Refused };
        // A key that waits for its material is neither on nor off.
        for key in self.keys.values_mut() {
            key.disabled = key.disabled && !key.waits();
        }
        verdict
    }

    fn take_in(&mut self, now: u64, ask: &Ask) -> Option<()> {
        match ask {
            Ask::CreateKey { key, kind } => self.create_key(*key, *kind)?,
            Ask::Import { key, material, new, days } => self.import(now, (*key, *material), *new, *days)?,
            Ask::DeleteImported { key, material } => {
                let key = self.keys.get_mut(key).filter(|k| k.is_external())?;
                match (material.or(key.permanent.last().copied()), material) {
                    (Some(material), Some(_)) if !key.knows(material) => return None,
                    (Some(material), _) => key.lose(material),
                    (None, _) => {}
                }
            }
            Ask::Expire { key, material } => {
                let key = self.keys.get_mut(key)?;
                key.present.get(material).copied().flatten().filter(|ends| *ends <= now)?;
                key.lose(*material);
            }
            Ask::RotateToImported { key } => {
                let key = self.keys.get_mut(key).filter(|k| k.is_external() && k.in_use())?;
                (key.pending.is_some() && key.rotations < ROTATION_LIMIT).then_some(())?;
                key.permanent.extend(key.pending.take());
                key.rotations += 1;
            }
            Ask::Enable { key } | Ask::Disable { key } => {
                let key = self.keys.get_mut(key).filter(|k| !k.waits() && k.deletion.is_none())?;
                key.disabled = matches!(ask, Ask::Disable { .. });
            }
            Ask::ScheduleDeletion { key } => {
                self.keys.get_mut(key).filter(|k| k.deletion.is_none())?.deletion = Some(now + WINDOW);
            }
            Ask::CancelDeletion { key } => {
                let key = self.keys.get_mut(key).filter(|k| k.deletion.is_some_and(|at| now < at))?;
                key.deletion = None;
                key.disabled = true;
            }
            Ask::Destroy { key } => {
                self.keys.get(key)?.deletion.filter(|at| *at <= now)?;
                self.keys.remove(key);
            }
            Ask::DeleteGrant { key, grant } => {
                self.keys.get_mut(key)?.grants.remove(grant)?;
            }
            Ask::RecordUse { uses } => {
                for (key, at) in uses {
                    if let Some(key) = self.keys.get_mut(key) {
                        key.used = key.used.max(Some(*at));
                    }
                }
            }
            Ask::CreateGrant { .. } => return None,
        }
        Some(())
    }

    fn create_key(&mut self, number: u8, kind: Kind) -> Option<()> {
        (!self.keys.contains_key(&number)).then_some(())?;
        let key = ModelKey {
            kind,
            disabled: false,
            deletion: None,
            permanent: if kind == Kind::Own { vec![number] } else { Vec::new() },
            pending: None,
            present: BTreeMap::new(),
            rotations: 0,
            grants: BTreeMap::new(),
            used: None,
        };
        self.keys.insert(number, key);
        Some(())
    }

    fn import(&mut self, now: u64, place: (u8, u8), new: bool, days: Option<u64>) -> Option<()> {
        let (key, material) = place;
        let key = self.keys.get_mut(&key).filter(|k| k.deletion.is_none() && k.may_import(material, new))?;
        if !key.knows(material) {
            if key.permanent.is_empty() {
                key.permanent.push(material);
            } else {
                key.pending = Some(material);
            }
        }
        key.present.insert(material, days.map(|days| now + days));
        Some(())
    }

    fn create_grant(&mut self, key: u8, grant: u8, name: Option<u8>, parameters: u8) -> Verdict {
        let Some(key) = self.keys.get_mut(&key).filter(|k| k.in_use()) else { return Verdict::Refused };
        let same: BTreeSet<_> =
            key.grants.iter().filter(|(_, g)| name.is_some() && **g == (name, parameters)).map(|(id, _)| *id).collect();
        if let Some(first) = same.first() {
            return Verdict::GrantExists(*first);
        }
        if key.grants.contains_key(&grant) || key.grants.len() >= GRANT_LIMIT {
            return Verdict::Refused;
        }
        key.grants.insert(grant, (name, parameters));
        Verdict::Done
    }
}
