//! A shared store in a bucket. Keys come from the variables that the providers' own tools read: `AWS_…`, `GOOGLE_…`, `AZURE_…`.

use super::address::Scheme;
use super::objects::{Objects, PART, Reason};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, Error, ObjectStore, ObjectStoreExt, RetryConfig};
use std::io::Read;
use std::time::Duration;

/// For a server that does not answer. A request has [`PART`] bytes at most.
const TIMES: [(ClientConfigKey, &str); 2] = [(ClientConfigKey::ConnectTimeout, "10 seconds"), (ClientConfigKey::Timeout, "5 minutes")];

#[derive(Debug)]
pub(super) struct Cloud {
    runtime: tokio::runtime::Runtime,
    store: Box<dyn ObjectStore>,
    prefix: String,
}

impl Cloud {
    pub(super) fn open(scheme: Scheme, bucket: &str, prefix: &str) -> Result<Self, Reason> {
        // The same as the rest of the program has; whoever embeds it may have chosen before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let retry = RetryConfig { max_retries: 3, retry_timeout: Duration::from_mins(1), ..RetryConfig::default() };
        let store: Result<Box<dyn ObjectStore>, Error> = match scheme {
            Scheme::S3 => {
                let builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry);
                let with = |builder: AmazonS3Builder, (key, value)| builder.with_config(AmazonS3ConfigKey::Client(key), value);
                TIMES.into_iter().fold(builder, with).build().map(|store| Box::new(store) as _)
            }
            Scheme::Gs => {
                let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(retry);
                let with = |builder: GoogleCloudStorageBuilder, (key, value)| builder.with_config(GoogleConfigKey::Client(key), value);
                TIMES.into_iter().fold(builder, with).build().map(|store| Box::new(store) as _)
            }
            Scheme::Az => {
                let builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket).with_retry(retry);
                let with = |builder: MicrosoftAzureBuilder, (key, value)| builder.with_config(AzureConfigKey::Client(key), value);
                TIMES.into_iter().fold(builder, with).build().map(|store| Box::new(store) as _)
            }
        };
        Ok(Self { runtime, store: store.map_err(|error| in_words(&error))?, prefix: prefix.to_owned() })
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }
}

impl Objects for Cloud {
    fn names(&self, below: &str) -> Result<Vec<String>, Reason> {
        let list = self.runtime.block_on(self.store.list_with_delimiter(Some(&self.path(below)))).map_err(|error| in_words(&error))?;
        Ok(list.objects.iter().filter_map(|object| object.location.filename().map(str::to_owned)).collect())
    }

    fn length(&self, name: &str) -> Result<Option<u64>, Reason> {
        let path = self.path(name);
        there(self.runtime.block_on(self.store.head(&path)).map(|object| object.size))
    }

    fn read(&self, name: &str, from: u64) -> Result<Option<Vec<u8>>, Reason> {
        let Some(length) = self.length(name)? else { return Ok(None) };
        if from >= length {
            return Ok(Some(Vec::new()));
        }
        let (path, range) = (self.path(name), from..length.min(from + PART as u64));
        there(self.runtime.block_on(self.store.get_range(&path, range)).map(|part| part.to_vec()))
    }

    fn put(&self, name: &str, bytes: u64, from: &mut dyn Read) -> Result<(), Reason> {
        let path = self.path(name);
        let mut next = |left: u64| {
            let mut part = Vec::new();
            Read::take(&mut *from, left.min(PART as u64)).read_to_end(&mut part).map_err(|error| error.to_string())?;
            if part.is_empty() && left > 0 { Err("the file is shorter than it was".to_owned()) } else { Ok(part) }
        };
        self.runtime.block_on(async {
            let first = next(bytes)?;
            if first.len() as u64 == bytes {
                return self.store.put(&path, first.into()).await.map(drop).map_err(|error| in_words(&error));
            }
            // Visible when it is complete.
            let mut upload = self.store.put_multipart(&path).await.map_err(|error| in_words(&error))?;
            let (mut part, mut left) = (first, bytes);
            let sent = loop {
                left -= part.len() as u64;
                if let Err(error) = upload.put_part(part.into()).await {
                    break Err(in_words(&error));
                }
                if left == 0 {
                    break upload.complete().await.map(drop).map_err(|error| in_words(&error));
                }
                part = match next(left) {
                    Ok(part) => part,
                    Err(reason) => break Err(reason),
                };
            };
            if sent.is_err() {
                let _ = upload.abort().await;
            }
            sent
        })
    }
}

fn there<T>(result: Result<T, Error>) -> Result<Option<T>, Reason> {
    match result {
        Err(Error::NotFound { .. }) => Ok(None),
        other => other.map(Some).map_err(|error| in_words(&error)),
    }
}

/// What the usual causes look like in what servers answer, and in words.
const CAUSES: [(&[&str], &str); 7] = [
    (
        &["RequestTimeTooSkewed", "Request date header too old", "RequestExpired"],
        "this machine's clock is off (the server says `RequestTimeTooSkewed`); set it and run the same command again",
    ),
    (&["NoSuchBucket", "ContainerNotFound"], "there is no such bucket"),
    (
        &["InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidAuthenticationInfo"],
        "the keys of the environment are not known there, or wrong",
    ),
    (&["169.254.169.254", "metadata.google.internal"], "there are no keys in the environment"),
    (&["AccessDenied", "AuthorizationPermissionMismatch", "403 Forbidden"], "access denied: the keys of the environment may not do that"),
    (&["StorageFull", "QuotaExceeded", "507 "], "the store is full"),
    (&["Connection refused", "dns error", "tcp connect error", "error sending request"], "nobody answers at its address"),
];

/// The whole chain in one line, and the usual cause before it.
fn in_words(error: &Error) -> Reason {
    let mut chain = Vec::<String>::new();
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        // Many repeat what they are made of.
        if !chain.iter().any(|said| said.contains(&text)) {
            chain.push(text);
        }
        next = error.source();
    }
    let said = without_document(&chain.join(": "));
    let short: String = said.chars().take(600).collect();
    match CAUSES.iter().find(|(signs, _)| signs.iter().any(|sign| said.contains(sign))) {
        Some((_, cause)) => format!("{cause} ({short})"),
        None => short,
    }
}

/// What a server answers repeats the name of the key and what was signed: of a document its code and its message stay.
fn without_document(said: &str) -> String {
    let element = |name: &str| {
        let rest = said.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    let begins = ["<?xml", "<Error"].iter().filter_map(|begin| said.find(begin)).min();
    let words = match begins.and_then(|at| said.get(..at)) {
        Some(before) => [Some(before.to_owned()), element("Code"), element("Message")].into_iter().flatten().collect::<Vec<_>>().join(" "),
        None => said.to_owned(),
    };
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_in_what_is_said() {
        let body = "status 403: <?xml version=\"1.0\"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>Not the one.</Message><AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error> - again";
        assert_eq!(without_document(body), "status 403: SignatureDoesNotMatch Not the one.");
        assert_eq!(without_document("no  answer\n"), "no answer");
    }
}
