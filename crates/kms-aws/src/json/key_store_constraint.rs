//! Constraints of the API model on the members that only requests about custom key stores have.

use super::constraint::{TextConstraint, length, patterned, sensitive, some_of};
use kms_types::RegionName;

/// `CustomKeyStoreNameType`.
pub(crate) const CUSTOM_KEY_STORE_NAME: TextConstraint = length(1..=256);
/// `TrustAnchorCertificateType`.
pub(crate) const TRUST_ANCHOR_CERTIFICATE: TextConstraint = length(1..=5000);
/// `KeyStorePasswordType`.
pub(crate) const KEY_STORE_PASSWORD: TextConstraint = sensitive(length(7..=32));
/// `CloudHsmClusterIdType`.
pub(crate) const CLOUD_HSM_CLUSTER_ID: TextConstraint = patterned(19..=24, "cluster-[2-7a-zA-Z]{11,16}", |value| {
    let id = value.strip_prefix("cluster-").unwrap_or_default();
    (11..=16).contains(&id.len()) && some_of(id, |c| matches!(c, '2'..='7' | 'a'..='z' | 'A'..='Z'))
});
/// `XksProxyUriEndpointType`.
pub(crate) const XKS_PROXY_URI_ENDPOINT: TextConstraint = patterned(10..=128, "^https://[a-zA-Z0-9.-]+$", |value| {
    let host = value.strip_prefix("https://").unwrap_or_default();
    some_of(host, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
});
/// `XksProxyUriPathType`.
pub(crate) const XKS_PROXY_URI_PATH: TextConstraint =
    patterned(10..=128, r"^(/[a-zA-Z0-9\/_-]+/kms/xks/v\d{1,2})$|^(/kms/xks/v\d{1,2})$", is_xks_proxy_uri_path);
/// `XksProxyVpcEndpointServiceNameType`.
pub(crate) const XKS_PROXY_VPC_ENDPOINT_SERVICE_NAME: TextConstraint = patterned(
    20..=64,
    r"^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$",
    is_vpc_endpoint_service_name,
);
/// `AccountIdType`.
pub(crate) const ACCOUNT_ID: TextConstraint =
    patterned(12..=12, "[0-9]{12}", |value| value.len() == 12 && some_of(value, |c| c.is_ascii_digit()));
/// `XksProxyAuthenticationAccessKeyIdType`.
pub(crate) const XKS_ACCESS_KEY_ID: TextConstraint =
    sensitive(patterned(20..=30, "^[A-Z2-7]+$", |value| some_of(value, |c| matches!(c, 'A'..='Z' | '2'..='7'))));
/// `XksProxyAuthenticationRawSecretAccessKeyType`.
pub(crate) const XKS_SECRET_ACCESS_KEY: TextConstraint =
    sensitive(patterned(43..=64, r"^[a-zA-Z0-9\/+=]+$", |value| {
        some_of(value, |c| c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '='))
    }));

fn is_xks_proxy_uri_path(value: &str) -> bool {
    let Some((before, version)) = value.rsplit_once("/kms/xks/v") else { return false };
    let prefix = before.strip_prefix('/').unwrap_or_default();
    (1..=2).contains(&version.len())
        && some_of(version, |c| c.is_ascii_digit())
        && (before.is_empty() || some_of(prefix, |c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-')))
}

fn is_vpc_endpoint_service_name(value: &str) -> bool {
    let rest = value.strip_prefix("com").or_else(|| value.strip_prefix("eu"));
    let rest = rest.and_then(|rest| rest.strip_prefix(".amazonaws.vpce."));
    let Some((region, service)) = rest.and_then(|rest| rest.split_once(".vpce-svc-")) else { return false };
    RegionName::has_form(region) && some_of(service, |c| matches!(c, '0'..='9' | 'a'..='z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(constraint: &TextConstraint, fitting: &[&str], others: &[&str]) {
        for (values, fits) in [(fitting, true), (others, false)] {
            for value in values {
                let mut faults = Vec::new();
                constraint.check("x", value, &mut faults);
                assert_eq!(faults.is_empty(), fits, "{value}");
            }
        }
    }

    #[test]
    fn patterns_of_the_model_are_matched_as_they_read() {
        check(
            &CLOUD_HSM_CLUSTER_ID,
            &["cluster-1a23b4cdefg".replace('1', "2").as_str(), "cluster-abcdefghijklmnop"],
            &["cluster-abcdefghij", "cluster-abcdefghijklmnopq", "cluster-0bcdefghijk", "clusterxabcdefghijk"],
        );
        check(
            &XKS_PROXY_URI_ENDPOINT,
            &["https://xks.example.com"],
            &["http://xks.example.com", "https://", "https://a.example/", "https://a.example:443"],
        );
        check(
            &XKS_PROXY_URI_PATH,
            &["/kms/xks/v1", "/kms/xks/v12", "/a/b_c-d/kms/xks/v1"],
            &["/kms/xks/v123", "kms/xks/v1xx", "/a b/kms/xks/v1", "a/kms/xks/v1", "/kms/xks/v1/"],
        );
        check(
            &XKS_PROXY_VPC_ENDPOINT_SERVICE_NAME,
            &[
                "com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d",
                "eu.amazonaws.vpce.us-gov-west-1.vpce-svc-0",
                "com.amazonaws.vpce.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a-0.vpce-svc-a",
            ],
            &["org.amazonaws.vpce.us-east-1.vpce-svc-0", "com.amazonaws.vpce.moon.vpce-svc-0a1b2c3d"],
        );
        check(&ACCOUNT_ID, &["111122223333"], &["11112222333", "1111222233334", "11112222333a"]);
        check(
            &XKS_ACCESS_KEY_ID,
            &["ABCDE12345670123WXYZ".replace(['0', '1'], "2").as_str()],
            &["ABCDE", "A1CDEFGHIJKLMNOPQRST"],
        );
        check(&XKS_SECRET_ACCESS_KEY, &["a".repeat(43).as_str()], &["a".repeat(42).as_str(), "-".repeat(43).as_str()]);
    }

    #[test]
    fn secrets_are_not_repeated() {
        for constraint in [KEY_STORE_PASSWORD, XKS_ACCESS_KEY_ID, XKS_SECRET_ACCESS_KEY] {
            let mut faults = Vec::new();
            constraint.check("x", "p!w", &mut faults);
            assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.contains("p!w")), "{faults:?}");
        }
    }
}
