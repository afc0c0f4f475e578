//! What is known of registries before the first request: the one table of rules by host.

/// How blobs reach a host. The row of a host that is not in the table is [`Host::ANY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Host {
    /// Host names that the row is for; each `*` stands for any text.
    names: &'static [&'static str],
    /// The largest blob that goes in one PUT, in bytes.
    pub(crate) largest_put: u64,
    /// Whether, and how large, chunks may be.
    pub(crate) chunks: Chunks,
}

/// Whether a host takes a blob in several PATCH requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunks {
    /// A blob must be sent in one body.
    Never,
    /// Chunks of at most this many bytes.
    UpTo(u64),
}

const MIB: u64 = 1024 * 1024;

const TABLE: &[Host] = &[
    // Azure refuses one body above about 20 MB with 413 (goharbor/harbor#21640, #23015), and takes up to the same in one
    // chunk with a Content-Length (goharbor/harbor PR #23016).
    Host {
        names: &["*.azurecr.io", "*.azurecr.cn", "*.azurecr.us"],
        largest_put: 16 * MIB,
        chunks: Chunks::UpTo(16 * MIB),
    },
    // GitHub refuses a PATCH above 4 MiB with 416 (oras-project/rust-oci-client#35, #37); one PUT may be large.
    Host { names: &["ghcr.io"], largest_put: u64::MAX, chunks: Chunks::UpTo(4 * MIB) },
    // Amazon drops every chunk after the first and reports success (aws/containers-roadmap#2831).
    Host {
        names: &["*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn", "public.ecr.aws"],
        largest_put: u64::MAX,
        chunks: Chunks::Never,
    },
    // Google has no chunked uploads ("You must use monolithic uploads": kitops-ml/kitops#780, containers/skopeo#1101).
    Host { names: &["*.pkg.dev", "gcr.io", "*.gcr.io"], largest_put: u64::MAX, chunks: Chunks::Never },
    // Quay refuses one body above 20 GB (oras-project/oras-py PR #137).
    Host { names: &["quay.io"], largest_put: 20_000_000_000, chunks: Chunks::UpTo(u64::MAX) },
];

impl Host {
    /// What the specification allows: everything.
    const ANY: Host = Host { names: &[], largest_put: u64::MAX, chunks: Chunks::UpTo(u64::MAX) };

    /// The row for a host name without port.
    pub(crate) fn named(name: &str) -> Host {
        TABLE
            .iter()
            .copied()
            .find(|row| row.names.iter().any(|names| matches(names, name)))
            .unwrap_or(Host::ANY)
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            // A `*` stands for something, so that `*.gcr.io` is not `.gcr.io`.
            rest.char_indices().skip(1).map(|(at, _)| &rest[at..]).any(|tail| matches(after, tail))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_found_by_its_names() {
        for azure in ["myregistry.azurecr.io", "a.westeurope.geo.azurecr.io", "a.azurecr.cn", "a.azurecr.us"]
        {
            assert_eq!(Host::named(azure).largest_put, 16 * MIB, "{azure}");
        }
        assert_eq!(Host::named("ghcr.io").chunks, Chunks::UpTo(4 * MIB));
        for never in [
            "1234.dkr.ecr.eu-west-1.amazonaws.com",
            "public.ecr.aws",
            "europe-docker.pkg.dev",
            "eu.gcr.io",
            "gcr.io",
        ] {
            assert_eq!(Host::named(never).chunks, Chunks::Never, "{never}");
        }
        assert_eq!(Host::named("quay.io").largest_put, 20_000_000_000);
    }

    #[test]
    fn other_hosts_have_no_limits() {
        for any in [
            "registry.example",
            "azurecr.io",
            "azurecr.io.evil.example",
            "notghcr.io",
            "localhost",
            "a.quay.io",
        ] {
            assert_eq!(Host::named(any), Host::ANY, "{any}");
        }
    }
}
