//! A value as a client knows it: what was acknowledged last, and what may or may not have been written since.

/// A register that one client writes, one write after the other.
#[derive(Clone, Debug)]
pub(crate) struct Register {
    acknowledged: String,
    open: Vec<String>,
}

impl Register {
    /// A register that holds `value` for certain.
    pub(crate) fn new(value: impl Into<String>) -> Self {
        Self { acknowledged: value.into(), open: Vec::new() }
    }

    /// A write ended: acknowledged, refused, or nobody knows.
    pub(crate) fn wrote(&mut self, value: String, outcome: Outcome) {
        match outcome {
            Outcome::Done => {
                self.acknowledged = value;
                self.open.clear();
            }
            Outcome::Refused => {}
            Outcome::Unknown => self.open.push(value),
        }
    }

    /// What was read when nothing was in flight any more.
    ///
    /// # Errors
    /// What had to be there instead.
    pub(crate) fn read(&mut self, found: &str) -> Result<(), String> {
        if found != self.acknowledged && !self.open.iter().any(|value| value == found) {
            return Err(format!("found {found:?}, acknowledged {:?}, open {:?}", self.acknowledged, self.open));
        }
        found.clone_into(&mut self.acknowledged);
        self.open.clear();
        Ok(())
    }
}

/// How a change ended for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Acknowledged: it has to be there for ever.
    Done,
    /// Refused for a reason that means that nothing was changed.
    Refused,
    /// No answer, or one that does not say.
    Unknown,
}

impl Outcome {
    /// Sorts the answer of the AWS wire: an error of the caller changed nothing, any other may have.
    pub(crate) fn of<T, E>(
        answer: &Result<T, aws_sdk_kms::error::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>>,
    ) -> Self
    where
        E: aws_sdk_kms::error::ProvideErrorMetadata,
    {
        match answer {
            Ok(_) => Self::Done,
            Err(error) => match meridian_tests::aws::refusal(error) {
                Some(refusal) if refusal.status == 400 => Self::Refused,
                Some(_) | None => Self::Unknown,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledged_write_must_be_read() {
        let mut register = Register::new("0");
        register.wrote("1".to_owned(), Outcome::Unknown);
        assert!(register.clone().read("0").is_ok() && register.clone().read("1").is_ok());
        register.wrote("2".to_owned(), Outcome::Done);
        assert!(register.clone().read("1").is_err() && register.clone().read("0").is_err());
        register.wrote("3".to_owned(), Outcome::Refused);
        assert!(register.clone().read("3").is_err());
        register.read("2").unwrap();
    }
}
