//! Signature Version 4 for raw requests, written from AWS's description and not from the product's verifier.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What a request is signed with.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Access key ID.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Region of the credential scope.
    pub region: String,
    /// Service of the credential scope.
    pub service: String,
}

impl Signer {
    /// The development administrator in a Region.
    #[must_use]
    pub fn administrator(region: &str) -> Self {
        Self {
            access_key: crate::aws::ACCESS_KEY.to_owned(),
            secret_key: crate::aws::SECRET_KEY.to_owned(),
            region: region.to_owned(),
            service: "kms".to_owned(),
        }
    }

    /// Derives the key of one day (`20261122`).
    #[must_use]
    pub fn signing_key(&self, day: &str) -> Vec<u8> {
        let start = format!("AWS4{}", self.secret_key);
        let parts = [day, &self.region, &self.service, "aws4_request"];
        parts.iter().fold(start.into_bytes(), |key, part| hmac(&key, part.as_bytes()))
    }

    /// The value of the `Authorization` header of a POST to `/`. `headers` are all that are signed, with lower-case
    /// names in order, `x-amz-date` among them.
    #[must_use]
    pub fn authorization(&self, headers: &[(&str, &str)], body: &[u8]) -> String {
        let time = headers.iter().find(|(name, _)| *name == "x-amz-date").expect("x-amz-date is signed").1;
        let day = time.split('T').next().expect("a date");
        self.authorization_with(&self.signing_key(day), time, headers, body)
    }

    /// The same with a key that was derived before.
    #[must_use]
    pub fn authorization_with(&self, key: &[u8], time: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let day = time.split('T').next().expect("a date");
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", hex::encode(Sha256::digest(body)));
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let hashed = hex::encode(Sha256::digest(canonical.as_bytes()));
        let signature = hex::encode(hmac(key, format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}").as_bytes()));
        format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", self.access_key)
    }
}

/// Now, as `x-amz-date` wants it, moved by some seconds.
#[must_use]
pub fn time(offset_seconds: i64) -> String {
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(offset_seconds);
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length will do");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
