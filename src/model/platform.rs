//! What an image runs on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::json::null_is_default;

/// What an image runs on (image-spec, "Image Index Property Descriptions", `platform`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Platform {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    architecture: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    os: String,
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
    #[serde(
        rename = "os.features",
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    os_features: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    features: Vec<String>,
    #[serde(flatten)]
    extra: BTreeMap<String, serde_json::Value>,
}

impl Platform {
    /// Operating system and architecture by their Go names (`GOOS`, `GOARCH`), such as `linux` and `amd64`.
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Platform {
        Platform { os: os.into(), architecture: architecture.into(), ..Platform::default() }
    }

    /// The variant of the CPU, such as `v8`.
    pub fn with_variant(mut self, variant: impl Into<String>) -> Platform {
        self.variant = Some(variant.into());
        self
    }

    /// The version of the operating system, such as `10.0.14393.1066`.
    pub fn with_os_version(mut self, version: impl Into<String>) -> Platform {
        self.os_version = Some(version.into());
        self
    }

    /// Features of the operating system that are needed, such as `win32k`.
    pub fn with_os_features(mut self, features: impl IntoIterator<Item = impl Into<String>>) -> Platform {
        self.os_features = features.into_iter().map(Into::into).collect();
        self
    }

    /// Features of the CPU; reserved by the image-spec for later.
    pub fn with_features(mut self, features: impl IntoIterator<Item = impl Into<String>>) -> Platform {
        self.features = features.into_iter().map(Into::into).collect();
        self
    }

    /// The operating system, such as `linux`; empty when a received document leaves it out.
    pub fn os(&self) -> &str {
        &self.os
    }

    /// The architecture, such as `amd64`; empty when a received document leaves it out.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The variant of the CPU.
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// The version of the operating system.
    pub fn os_version(&self) -> Option<&str> {
        self.os_version.as_deref()
    }

    /// Features of the operating system that are needed.
    pub fn os_features(&self) -> &[String] {
        &self.os_features
    }

    /// Features of the CPU; reserved by the image-spec for later.
    pub fn features(&self) -> &[String] {
        &self.features
    }
}
