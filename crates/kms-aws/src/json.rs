//! AWS JSON 1.1: reading the members of a request with the constraints of the API model, and writing responses.

mod constraint;
mod members;
mod object;
mod value;

pub(crate) use constraint::{
    ALIAS_NAME, CUSTOM_KEY_STORE_ID, DESCRIPTION, KEY_ID, MARKER, POLICY, POLICY_NAME, XKS_KEY_ID,
};
pub(crate) use members::Members;
pub(crate) use object::{Object, base64_len, object, secret_object};
