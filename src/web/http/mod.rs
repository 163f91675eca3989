//! HTTP for all pages: errors, bodies, headers, connections, static files.

pub(crate) mod assets;
pub(crate) mod client_address;
pub(crate) mod connections;
pub mod error;
pub(crate) mod extract;
pub(crate) mod image_cache;
pub(crate) mod markdown;
pub(crate) mod metrics;
pub(crate) mod metrics_page;
pub mod page;
pub(crate) mod refusals;
pub(crate) mod request_reference;
pub(crate) mod request_span;
pub(crate) mod security_headers;
pub mod serve;
pub(crate) mod startup;
pub(crate) mod static_files;
pub(crate) mod write_progress;
