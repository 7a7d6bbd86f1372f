//! AWS Signature Version 4: from a request to the principal that signed it, or AWS's refusal.
//!
//! Nothing here waits and no lock is shared by requests: the directory of principals is swapped as a whole, and each
//! principal carries its derived signing keys.

mod canonical;
mod presented;
mod query;
mod signing_key;
mod time;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use signing_key::SigningKeys;
pub(crate) use time::AmzDate;

use crate::Principals;
use crate::principals::Entry;
use hmac::Mac as _;
use http::request::Parts;
use kms_service::{Caller, RequestId, SessionFault};
use kms_types::{RegionName, Timestamp};
use presented::{ALGORITHM, Presented, SessionToken, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN};
use query::Query;
use signing_key::{SigningKey, TERMINATOR};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// How far a request's date may be from ours, and how long a request that is not presigned lives.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(5 * 60);
const X_AMZ_TARGET: &str = "x-amz-target";

/// Why a signature was not accepted. `Display` is AWS's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The request is not signed.
    #[error("Missing Authentication Token")]
    MissingToken,
    /// Parts of the signature are missing or unreadable; the text says which and echoes what came.
    #[error("{0}")]
    Incomplete(String),
    /// No such access key, a session token that does not go with it, or temporary credentials without one.
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    /// The session is over.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// The principal is one of the directory, and this Region has not confirmed the directory with a majority for longer
    /// than the lease on it.
    #[error(
        "This Region has not been able to confirm its directory of principals with the other Regions for longer than the \
         configured lease. Try again, or use another Region."
    )]
    Unconfirmed,
    /// A header that must be signed is not.
    #[error("'{0}' must be a 'SignedHeader' in the AWS Authorization.")]
    UnsignedHeader(&'static str),
    /// The signature does not fit the request.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
    /// The request's date is too old.
    #[error("Signature expired: {0}")]
    Expired(DateFault),
    /// The request's date is in the future.
    #[error("Signature not yet current: {0}")]
    NotYetCurrent(DateFault),
    /// The credential scope is that of another Region, service or date; all that is wrong is named.
    #[error("{0}")]
    Scope(ScopeFault),
}

/// The three instants of a date that is too far off, as SigV4 writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFault {
    stamp: AmzDate,
    limit: AmzDate,
    now: AmzDate,
    window: Duration,
    late: bool,
}

impl fmt::Display for DateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stamp, limit, now, window, late } = self;
        let (relation, sign) = if *late { ("now earlier", '-') } else { ("still later", '+') };
        let seconds = window.as_secs();
        let (count, unit) = if seconds % 60 == 0 { (seconds / 60, "min") } else { (seconds, "sec") };
        write!(f, "{stamp} is {relation} than {limit} ({now} {sign} {count} {unit}.)")
    }
}

/// What is wrong with a credential scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeFault {
    region: bool,
    service: Option<&'static str>,
    terminator: bool,
    date: Option<(String, AmzDate)>,
}

impl fmt::Display for ScopeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // AWS strings these sentences together, each with a space behind it.
        if self.region {
            f.write_str("Credential should be scoped to a valid region. ")?;
        }
        if let Some(service) = self.service {
            write!(f, "Credential should be scoped to correct service: '{service}'. ")?;
        }
        if self.terminator {
            write!(f, "Credential should be scoped with a valid terminator: '{TERMINATOR}'. ")?;
        }
        if let Some((scope, stamp)) = &self.date {
            let date = stamp.date();
            write!(
                f,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{scope}' != '{date}', from '{stamp}'. "
            )?;
        }
        Ok(())
    }
}

/// The service whose requests are most of all: the signing keys for it are kept.
pub(crate) const KMS: &str = "kms";

/// Verifies signatures for one Region and service.
#[derive(Clone, Debug)]
pub(crate) struct Verifier {
    region: RegionName,
    service: &'static str,
}

impl Verifier {
    pub(crate) fn new(region: RegionName, service: &'static str) -> Self {
        Self { region, service }
    }

    /// Answers who signed the request. `body` is the body as read, `now` the time of its arrival and
    /// `request_id` its new ID.
    ///
    /// # Errors
    /// [`SignatureFault`]; of several, that which costs the least to find.
    pub(crate) fn verify(
        &self,
        principals: &Principals,
        parts: &Parts,
        body: &[u8],
        now: Timestamp,
        request_id: RequestId,
    ) -> Result<Caller, SignatureFault> {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let presented = Presented::find(parts, &query)?;
        check_signed_headers(parts, &presented)?;
        check_date(&presented, now)?;
        self.check_scope(&presented)?;
        let entry = signer(principals, &presented, now)?;
        let canonical = canonical::hash(parts, &query, &presented, body).ok_or(SignatureFault::Mismatch)?;
        let secret = &entry.principal.secret;
        let scope = (&presented.stamp, self.region.as_str(), self.service);
        let key = if self.service == KMS {
            entry.signing_keys.get_or_derive(secret, scope)
        } else {
            Arc::new(SigningKey::derive(secret, scope))
        };
        let mut mac = key.mac();
        let (stamp, date, region) = (presented.stamp.as_str(), presented.stamp.date(), self.region.as_str());
        for part in [ALGORITHM, "\n", stamp, "\n", date, "/", region, "/", self.service, "/", TERMINATOR, "\n"] {
            mac.update(part.as_bytes());
        }
        mac.update(&canonical::hex(&canonical));
        let expected = canonical::hex(&mac.finalize().into_bytes().into());
        if expected.ct_eq(presented.signature.as_bytes()).into() {
            Ok(entry.caller(request_id))
        } else {
            Err(SignatureFault::Mismatch)
        }
    }

    fn check_scope(&self, presented: &Presented<'_>) -> Result<(), SignatureFault> {
        let (scope, stamp) = (&presented.scope, presented.stamp);
        let fault = ScopeFault {
            region: scope.region() != self.region.as_str(),
            service: (scope.service() != self.service).then_some(self.service),
            terminator: scope.terminator() != TERMINATOR,
            date: (scope.date() != stamp.date()).then(|| (scope.date().to_owned(), stamp)),
        };
        let ScopeFault { region, service, terminator, date } = &fault;
        if *region || service.is_some() || *terminator || date.is_some() {
            return Err(SignatureFault::Scope(fault));
        }
        Ok(())
    }
}

/// Whose access key it is, and for temporary credentials, whether the session is honoured.
fn signer(principals: &Principals, presented: &Presented<'_>, now: Timestamp) -> Result<Arc<Entry>, SignatureFault> {
    let access_key = presented.scope.access_key();
    let token = match &presented.session_token {
        SessionToken::Absent => {
            let found = principals.find(access_key).map_err(|_old| SignatureFault::Unconfirmed)?;
            return found.ok_or(SignatureFault::UnrecognizedClient);
        }
        SessionToken::Header(token) => token,
        SessionToken::Query(token) => token.as_ref(),
        SessionToken::Unreadable => return Err(SignatureFault::UnrecognizedClient),
    };
    principals.find_session(access_key, token, now).map_err(|fault| match fault {
        SessionFault::Invalid => SignatureFault::UnrecognizedClient,
        SessionFault::Expired => SignatureFault::ExpiredToken,
        SessionFault::Unconfirmed => SignatureFault::Unconfirmed,
    })
}

/// What decides about a request must be signed: the host, the date, the operation, the session.
fn check_signed_headers(parts: &Parts, presented: &Presented<'_>) -> Result<(), SignatureFault> {
    let signed = |name: &str| presented.signed_headers.split(';').any(|n| n == name);
    if !signed("host") {
        return Err(SignatureFault::UnsignedHeader("Host' or ':authority"));
    }
    if let Some(date) = &presented.date_header
        && !signed(date.as_str())
    {
        return Err(SignatureFault::UnsignedHeader(if *date == X_AMZ_DATE { "X-Amz-Date" } else { "Date" }));
    }
    if parts.headers.contains_key(X_AMZ_TARGET) && !signed(X_AMZ_TARGET) {
        return Err(SignatureFault::UnsignedHeader("X-Amz-Target"));
    }
    if matches!(presented.session_token, SessionToken::Header(_)) && !signed(X_AMZ_SECURITY_TOKEN.as_str()) {
        return Err(SignatureFault::UnsignedHeader("X-Amz-Security-Token"));
    }
    Ok(())
}

fn check_date(presented: &Presented<'_>, now: Timestamp) -> Result<(), SignatureFault> {
    let stamp = presented.stamp;
    let fault = |limit: u64, window: Duration, late: bool| DateFault {
        stamp,
        limit: AmzDate::at(Timestamp::from_millis(limit)),
        now: AmzDate::at(now),
        window,
        late,
    };
    let millis = |window: Duration| u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
    let life = presented.expires.unwrap_or(CLOCK_SKEW_MAX);
    let oldest = now.millis().saturating_sub(millis(life));
    let newest = now.millis().saturating_add(millis(CLOCK_SKEW_MAX));
    // The date has no milliseconds, so ours must not decide either.
    if stamp.timestamp().millis() < oldest / 1000 * 1000 {
        return Err(SignatureFault::Expired(fault(oldest, life, true)));
    }
    if stamp.timestamp().millis() > newest {
        return Err(SignatureFault::NotYetCurrent(fault(newest, CLOCK_SKEW_MAX, false)));
    }
    Ok(())
}
