//! Uploads an artifact of one config and one layer, under a tag.
//!
//! Where to is said by `REGISTRY_ENDPOINT`, such as `https://myregistry.azurecr.io`; without it, the artifact is written
//! to the directory `./sample-artifact-layout`.

use ocireg::{Client, Manifest, media_type};

fn main() -> Result<(), ocireg::Error> {
    // Where to: a repository at a registry, or in a directory.
    let endpoint = std::env::var("REGISTRY_ENDPOINT").ok();
    let address = match &endpoint {
        Some(endpoint) => format!("{endpoint}/sample-artifact"),
        None => "oci-layout:./sample-artifact-layout".to_owned(),
    };
    let tag = "demo";

    // Create a client, and open the repository.
    let client = Client::builder().build()?;
    let repository = client.repository(&address)?;

    // Upload a config file.
    let config = repository.upload_blob("Sample config")?;

    // Create a manifest to list the files of this artifact, with the config.
    let manifest = Manifest::new(config.with_media_type(media_type::IMAGE_CONFIG));

    // Upload a layer file, and list it.
    let layer = repository.upload_blob("Sample layer")?;
    let manifest = manifest.layer(layer.with_media_type(media_type::IMAGE_LAYER));

    // Finally, upload the manifest file.
    let uploaded = repository.upload_manifest(&manifest, [tag])?;

    println!("{}", uploaded.digest());
    if endpoint.is_none() {
        eprintln!("Written to ./sample-artifact-layout. To look at it:");
        eprintln!("  skopeo inspect --raw oci:./sample-artifact-layout:demo");
    }
    Ok(())
}
