//! What requests that make or change a custom key store have in common. Their members are checked and not used: there is
//! nothing here to connect to.

use crate::json::{
    ACCOUNT_ID, CLOUD_HSM_CLUSTER_ID, KEY_STORE_PASSWORD, Members, XKS_ACCESS_KEY_ID, XKS_PROXY_URI_ENDPOINT,
    XKS_PROXY_URI_PATH, XKS_PROXY_VPC_ENDPOINT_SERVICE_NAME, XKS_SECRET_ACCESS_KEY,
};

/// Checks how the service would reach the store.
pub(super) fn check_connection(members: &mut Members<'_>) {
    members.check_text("CloudHsmClusterId", &CLOUD_HSM_CLUSTER_ID);
    members.check_text("KeyStorePassword", &KEY_STORE_PASSWORD);
    members.check_text("XksProxyUriEndpoint", &XKS_PROXY_URI_ENDPOINT);
    members.check_text("XksProxyUriPath", &XKS_PROXY_URI_PATH);
    members.check_text("XksProxyVpcEndpointServiceName", &XKS_PROXY_VPC_ENDPOINT_SERVICE_NAME);
    members.check_text("XksProxyVpcEndpointServiceOwner", &ACCOUNT_ID);
    members.structure("XksProxyAuthenticationCredential", |credential| {
        credential.require("AccessKeyId");
        credential.check_text("AccessKeyId", &XKS_ACCESS_KEY_ID);
        credential.require("RawSecretAccessKey");
        credential.check_text("RawSecretAccessKey", &XKS_SECRET_ACCESS_KEY);
    });
    check_choice(members, "XksProxyConnectivity", &["PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"]);
}

/// Checks a text of a closed set.
pub(super) fn check_choice(members: &mut Members<'_>, name: &str, values: &[&str]) {
    members.choice(name, values, |value| values.contains(&value).then_some(()));
}
