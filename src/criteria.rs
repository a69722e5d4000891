//! The Trust Services Criteria that controls are mapped to: ids and our own
//! short titles. The AICPA's wording is copyrighted and not here.
//!
//! Source: SOC 2 2017 criteria with the 2022 points of focus.

use serde::{Deserialize, Serialize};

/// One Trust Services criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Criterion {
    #[serde(rename = "CC2.1")]
    Cc2_1,
    #[serde(rename = "CC4.1")]
    Cc4_1,
    #[serde(rename = "CC4.2")]
    Cc4_2,
    #[serde(rename = "CC5.1")]
    Cc5_1,
    #[serde(rename = "CC5.3")]
    Cc5_3,
    #[serde(rename = "CC6.1")]
    Cc6_1,
    #[serde(rename = "CC6.2")]
    Cc6_2,
    #[serde(rename = "CC6.3")]
    Cc6_3,
    #[serde(rename = "CC6.6")]
    Cc6_6,
    #[serde(rename = "CC6.7")]
    Cc6_7,
    #[serde(rename = "CC6.8")]
    Cc6_8,
    #[serde(rename = "CC7.1")]
    Cc7_1,
    #[serde(rename = "CC7.2")]
    Cc7_2,
    #[serde(rename = "CC7.3")]
    Cc7_3,
    #[serde(rename = "CC7.4")]
    Cc7_4,
    #[serde(rename = "CC8.1")]
    Cc8_1,
    #[serde(rename = "CC9.2")]
    Cc9_2,
}

impl Criterion {
    /// Every criterion, in order of its number.
    pub const ALL: [Self; 17] = [
        Self::Cc2_1,
        Self::Cc4_1,
        Self::Cc4_2,
        Self::Cc5_1,
        Self::Cc5_3,
        Self::Cc6_1,
        Self::Cc6_2,
        Self::Cc6_3,
        Self::Cc6_6,
        Self::Cc6_7,
        Self::Cc6_8,
        Self::Cc7_1,
        Self::Cc7_2,
        Self::Cc7_3,
        Self::Cc7_4,
        Self::Cc8_1,
        Self::Cc9_2,
    ];

    /// The number as auditors write it, e.g. `CC8.1`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cc2_1 => "CC2.1",
            Self::Cc4_1 => "CC4.1",
            Self::Cc4_2 => "CC4.2",
            Self::Cc5_1 => "CC5.1",
            Self::Cc5_3 => "CC5.3",
            Self::Cc6_1 => "CC6.1",
            Self::Cc6_2 => "CC6.2",
            Self::Cc6_3 => "CC6.3",
            Self::Cc6_6 => "CC6.6",
            Self::Cc6_7 => "CC6.7",
            Self::Cc6_8 => "CC6.8",
            Self::Cc7_1 => "CC7.1",
            Self::Cc7_2 => "CC7.2",
            Self::Cc7_3 => "CC7.3",
            Self::Cc7_4 => "CC7.4",
            Self::Cc8_1 => "CC8.1",
            Self::Cc9_2 => "CC9.2",
        }
    }

    /// What the criterion is about, in our own words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cc2_1 => "decisions rest on reliable information",
            Self::Cc4_1 => "controls are monitored",
            Self::Cc4_2 => "deficiencies are reported and followed up",
            Self::Cc5_1 => "duties are separated",
            Self::Cc5_3 => "policies are put to work",
            Self::Cc6_1 => "logical access is restricted",
            Self::Cc6_2 => "access is granted and withdrawn deliberately",
            Self::Cc6_3 => "access follows roles and least privilege",
            Self::Cc6_6 => "the boundary is protected from outside",
            Self::Cc6_7 => "information is protected in transit and on the move",
            Self::Cc6_8 => "unauthorised software and configuration is prevented",
            Self::Cc7_1 => "weaknesses are detected",
            Self::Cc7_2 => "anomalies are monitored",
            Self::Cc7_3 => "security events are evaluated",
            Self::Cc7_4 => "incidents are answered",
            Self::Cc8_1 => "changes are authorised, tested and approved",
            Self::Cc9_2 => "third parties are managed",
        }
    }
}

/// Another framework that controls are mapped to: ids only, its words are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framework {
    /// ISO/IEC 27001:2022, Annex A.
    Iso27001,
    /// PCI DSS 4.0.
    PciDss,
    /// NIST SP 800-53 Rev. 5.
    Nist80053,
}

impl Framework {
    /// Every framework.
    pub const ALL: [Self; 3] = [Self::Iso27001, Self::PciDss, Self::Nist80053];

    /// The name that people know.
    pub fn title(self) -> &'static str {
        match self {
            Self::Iso27001 => "ISO 27001:2022",
            Self::PciDss => "PCI DSS 4.0",
            Self::Nist80053 => "NIST 800-53",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serialised_name_is_the_id() {
        for criterion in Criterion::ALL {
            let json = serde_json::to_string(&criterion).expect("an enum without data serialises");
            assert_eq!(json, format!("\"{}\"", criterion.id()));
        }
    }
}
