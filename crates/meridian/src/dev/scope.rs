//! Which Region a signed request is for: the third part of its SigV4 credential scope.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The Region named in the credential scope, from the `Authorization` header or from the query of a presigned URL.
pub(super) fn region_of(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let from_header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(from_authorization);
    from_header.or_else(|| query.and_then(from_query))
}

/// `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/kms/aws4_request, SignedHeaders=…, Signature=…`.
fn from_authorization(value: &str) -> Option<String> {
    let parameters = value.strip_prefix("AWS4-HMAC-SHA256")?;
    let mut parts = parameters.split(',').map(str::trim);
    from_scope(parts.find_map(|part| part.strip_prefix("Credential="))?)
}

/// `X-Amz-Credential=AKID%2F20260101%2Fus-east-1%2Fkms%2Faws4_request`.
fn from_query(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    from_scope(&value.replace("%2F", "/").replace("%2f", "/"))
}

/// Counted from the end, because an access key may contain a slash and the other parts may not.
fn from_scope(scope: &str) -> Option<String> {
    let mut parts = scope.rsplit('/');
    if parts.next()? != "aws4_request" {
        return None;
    }
    let _service = parts.next()?;
    let region = parts.next()?;
    let _date = parts.next()?;
    let _access_key = parts.next()?;
    (!region.is_empty()).then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(authorization: Option<&str>, query: Option<&str>, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        assert_eq!(region_of(&headers, query).as_deref(), expected, "{authorization:?} {query:?}");
    }

    #[test]
    fn region_is_read_from_the_credential_scope() {
        let signed = "AWS4-HMAC-SHA256 Credential=meridian/20260101/eu-west-1/kms/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=00";
        check(Some(signed), None, Some("eu-west-1"));
        check(Some(&signed.replace(", ", ",")), None, Some("eu-west-1"));
        check(Some(&signed.replace("meridian/", "a/b/")), None, Some("eu-west-1"));
        let presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\
                         meridian%2F20260101%2Fus-east-1%2Fkms%2Faws4_request&X-Amz-Date=x";
        check(None, Some(presigned), Some("us-east-1"));
    }

    #[test]
    fn requests_without_a_scope_name_no_region() {
        check(None, None, None);
        check(Some("Bearer abc"), None, None);
        check(Some("AWS4-HMAC-SHA256 Credential=meridian"), None, None);
        check(Some("AWS4-HMAC-SHA256 Credential=eu-west-1/kms/aws4_request"), None, None);
        check(Some("AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/kms/other"), None, None);
        check(None, Some("X-Amz-Credential="), None);
    }
}
