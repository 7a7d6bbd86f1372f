//! Limits of AWS KMS that more than one layer needs; sources are the API reference and the "Quotas" page.

/// Most tags on one key.
pub const TAGS_PER_KEY_MAX: usize = 50;
/// Most aliases that point at one key (AWS default quota).
pub const ALIASES_PER_KEY_MAX: usize = 50;
/// Most customer managed keys in one account and Region (AWS default quota).
pub const KEYS_PER_ACCOUNT_MAX: usize = 100_000;
/// Most grants on one key (AWS default quota).
pub const GRANTS_PER_KEY_MAX: usize = 50_000;
/// Most on-demand rotations of one key.
pub const ON_DEMAND_ROTATIONS_MAX: u32 = 25;
/// Largest key policy document, in bytes.
pub const POLICY_BYTES_MAX: usize = 32_768;
/// Shortest and longest waiting period before a key is deleted, in days.
pub const DELETION_WINDOW_DAYS: std::ops::RangeInclusive<u32> = 7..=30;
/// Waiting period when the caller names none, in days.
pub const DELETION_WINDOW_DAYS_DEFAULT: u32 = 30;
/// Shortest and longest automatic rotation period, in days.
pub const ROTATION_PERIOD_DAYS: std::ops::RangeInclusive<u32> = 90..=2560;
/// Automatic rotation period when the caller names none, in days.
pub const ROTATION_PERIOD_DAYS_DEFAULT: u32 = 365;
/// Largest plaintext of Encrypt with a symmetric key, in bytes.
pub const PLAINTEXT_BYTES_MAX: usize = 4096;
/// Largest ciphertext blob accepted, in bytes.
pub const CIPHERTEXT_BYTES_MAX: usize = 6144;
/// Largest random or data-key length, in bytes.
pub const RANDOM_BYTES_MAX: usize = 1024;
/// Most users in one account (AWS default quota of IAM).
pub const USERS_PER_ACCOUNT_MAX: usize = 5_000;
/// Most access keys of one user.
pub const ACCESS_KEYS_PER_USER_MAX: usize = 2;
/// Most roles in one account (AWS default quota of IAM).
pub const ROLES_PER_ACCOUNT_MAX: usize = 1_000;
/// Shortest and longest "maximum session duration" of a role, in seconds (IAM API, CreateRole).
pub const ROLE_SESSION_SECONDS: std::ops::RangeInclusive<u32> = 3_600..=43_200;
/// The "maximum session duration" of a role for which none is named, in seconds.
pub const ROLE_SESSION_SECONDS_DEFAULT: u32 = 3_600;
/// Most session token keys that are kept at the same time.
pub const SESSION_KEYS_MAX: usize = 32;
/// Most identity policies of one user or role.
pub const POLICIES_PER_PRINCIPAL_MAX: usize = 10;
/// Most tags of one user or role.
pub const TAGS_PER_PRINCIPAL_MAX: usize = 50;
