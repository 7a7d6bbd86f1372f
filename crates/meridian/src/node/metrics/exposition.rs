//! Series that come and go with keys, in Prometheus' text form: the recorder of the process never forgets a series.

use std::fmt::{Display, Write as _};

/// Text of some families, each of which is named once, before its samples.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

/// What the values of a family are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

impl Exposition {
    /// Begins a family.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.put(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    /// One sample. Labels hold key IDs, Regions and words of ours, so that nothing needs escaping.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        self.put(format_args!("{name}{{{}}} {value}\n", labels.join(",")));
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _written = self.0.write_fmt(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_named_before_its_samples() {
        let mut text = Exposition::default();
        text.family("a_total", Kind::Counter, "Some");
        text.sample("a_total", &[("key_id", "k"), ("class", "sign")], 7);
        let expected = "# HELP a_total Some\n# TYPE a_total counter\na_total{key_id=\"k\",class=\"sign\"} 7\n";
        assert_eq!(text.into_text(), expected);
    }
}
