//! Values of the command line that are written in a way of their own.

use std::{str::FromStr, time::Duration};

use crate::simulator::server::Pace;

/// A length of time: a number with `ms`, `s`, `m` or `h`; seconds without a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("", 1.0)];
        let split = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
        let seconds = split.and_then(|(number, unit)| Some(number.trim().parse::<f64>().ok()? * unit));
        let span = seconds.filter(|seconds| *seconds <= 86_400.0 * 366.0).map(Duration::try_from_secs_f64);
        match span {
            Some(Ok(span)) => Ok(Self(span)),
            _ => Err("a time looks like 500ms, 30s, 2m or 1h".to_owned()),
        }
    }
}

/// How fast a recording is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Times real time.
    Times(f64),
    /// As fast as it is read.
    Max,
}

impl Speed {
    /// As the server takes it.
    #[must_use]
    pub fn pace(self) -> Pace {
        match self {
            Self::Times(times) => Pace::Speed(times),
            Self::Max => Pace::Max,
        }
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
            Ok(times) if (0.01..=10_000.0).contains(&times) => Ok(Self::Times(times)),
            _ => Err("a speed is a number from 0.01 to 10000, or max".to_owned()),
        }
    }
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u16, pub u16);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
        match sides {
            Some((columns @ 1..=500, rows @ 1..=200)) => Ok(Self(columns, rows)),
            _ => Err("a size looks like 120x40, at most 500x200".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_speeds_and_sizes() {
        let span = |text: &str| text.parse::<Span>().map(|span| span.0);
        assert_eq!(span("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(span("1.5s"), Ok(Duration::from_millis(1_500)));
        assert_eq!(span("10"), Ok(Duration::from_secs(10)));
        assert_eq!(span("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "s", "-1s", "NaN", "inf", "1d", "1e300h"] {
            assert!(span(bad).is_err(), "{bad}");
        }
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("10x".parse(), Ok(Speed::Times(10.0)));
        for bad in ["0", "-1", "inf", "NaN", "fast", ""] {
            assert!(bad.parse::<Speed>().is_err(), "{bad}");
        }
        assert_eq!("80x24".parse(), Ok(Size(80, 24)));
        for bad in ["80", "0x24", "80x0", "80x24x1", "9999x9999"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }
}
