//! When the certificates that a node uses end. It reads them when it starts, so these are the ones in use.

use super::{Credentials, TlsError, certificates};
use crate::config::ApiTls;
use rustls::pki_types::CertificateDer;

/// The end of a certificate, or of the first to end of those that it is issued by and that stand in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateEnd {
    /// `api`: the AWS KMS API's; `cluster`: the node's own, shown by the gRPC listener and to peers; `authority`: that
    /// of the cluster, which all of those are checked against.
    pub(crate) certificate: &'static str,
    /// Seconds since the Unix epoch.
    pub(crate) ends_at: i64,
}

/// Every certificate that the node uses. One that cannot be parsed is not told; TLS refuses it by itself.
///
/// # Errors
/// [`TlsError`] when the file of the API's certificate cannot be read.
pub(crate) fn certificate_ends(
    credentials: &Credentials,
    api: Option<&ApiTls>,
) -> Result<Vec<CertificateEnd>, TlsError> {
    let api = api.map(|files| certificates(&files.cert)).transpose()?.unwrap_or_default();
    let chains = [("api", &api), ("cluster", &credentials.chain), ("authority", &credentials.authority_chain)];
    let end =
        |(certificate, chain): (&'static str, &Vec<_>)| Some(CertificateEnd { certificate, ends_at: first(chain)? });
    Ok(chains.into_iter().filter_map(end).collect())
}

fn first(chain: &[CertificateDer<'_>]) -> Option<i64> {
    let end = |der: &CertificateDer<'_>| {
        x509_parser::parse_x509_certificate(der).ok().map(|(_, read)| read.validity().not_after.timestamp())
    };
    chain.iter().filter_map(end).min()
}
