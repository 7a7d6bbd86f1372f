//! Records what the AWS SDK is answered: operation, status and raw body, one JSON object a line, as the Python clients do.
//! The conformance board (`tests/clients/conformance`) judges the recordings by AWS's own API model.
//!
//! Nothing is recorded unless the environment names a directory in `MERIDIAN_RECORDINGS`.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

/// Records the answers of one client.
#[derive(Debug)]
pub struct Recorder {
    /// The module of the test that made the client.
    suite: String,
}

impl Recorder {
    /// A recorder for a client of the running test; `None` when nothing is to be recorded.
    #[must_use]
    pub fn of_this_test() -> Option<Self> {
        recordings()?;
        // The test harness names each test's thread after the test.
        let thread = std::thread::current();
        let module = thread.name().and_then(|name| name.rsplit_once("::")).map(|(module, _)| module);
        Some(Self { suite: module.map_or_else(|| "e2e".to_owned(), |module| format!("e2e {module}")) })
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map(|metadata| metadata.name().to_owned());
        let body = context.response().body().bytes().unwrap_or_default();
        let line = serde_json::json!({
            "suite": self.suite,
            "operation": operation.ok_or("an operation without a name")?,
            "status": context.response().status().as_u16(),
            "body": std::str::from_utf8(body)?,
        });
        if let Some(file) = recordings() {
            // A line is written at once, so that lines of several threads do not mix.
            file.lock().expect("no writer panics").write_all(format!("{line}\n").as_bytes())?;
        }
        Ok(())
    }
}

/// This process's file in the directory of recordings.
fn recordings() -> Option<&'static Mutex<File>> {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    let open = || {
        let directory = std::env::var_os("MERIDIAN_RECORDINGS")?;
        std::fs::create_dir_all(&directory).expect("the directory of recordings can be made");
        let file = Path::new(&directory).join(format!("rust-{}.jsonl", std::process::id()));
        Some(Mutex::new(File::create(file).expect("a recording can be made")))
    };
    FILE.get_or_init(open).as_ref()
}
