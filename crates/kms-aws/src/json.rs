//! AWS JSON 1.1: reading the members of a request with the constraints of the API model, and writing responses.

mod audited;
mod constraint;
mod key_store_constraint;
mod members;
mod object;
mod value;

pub(crate) use audited::shown_of_answer;
pub(crate) use constraint::{
    ALIAS_NAME, CUSTOM_KEY_STORE_ID, DESCRIPTION, GRANT_ID, GRANT_NAME, KEY_ID, KEY_MATERIAL_DESCRIPTION, MARKER,
    POLICY, POLICY_NAME, PRINCIPAL_ID, SERVICE_PRINCIPAL, XKS_KEY_ID,
};
pub(crate) use key_store_constraint::{
    ACCOUNT_ID, CLOUD_HSM_CLUSTER_ID, CUSTOM_KEY_STORE_NAME, KEY_STORE_PASSWORD, TRUST_ANCHOR_CERTIFICATE,
    XKS_ACCESS_KEY_ID, XKS_PROXY_URI_ENDPOINT, XKS_PROXY_URI_PATH, XKS_PROXY_VPC_ENDPOINT_SERVICE_NAME,
    XKS_SECRET_ACCESS_KEY,
};
pub(crate) use members::Members;
pub(crate) use object::{Object, base64_len, delivered_len, object, secret_object};
