//! Images that were asked for lately, so that a crowd does not ask the database for each again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;

use crate::store::images::StoredImage;

/// An image as it is sent.
#[derive(Debug)]
pub struct CachedImage {
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: String,
    /// The file; sending it copies nothing.
    pub bytes: Bytes,
}

/// A cache of images with a bound on its bytes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ImageCache {
    largest: usize,
    images: Arc<Mutex<Images>>,
}

#[derive(Debug, Default)]
struct Images {
    by_address: HashMap<String, Arc<CachedImage>>,
    bytes: usize,
}

impl ImageCache {
    /// A cache that holds at most so many bytes.
    pub fn new(largest: usize) -> Self {
        Self { largest, images: Arc::default() }
    }

    /// An image that is there.
    pub fn get(&self, address: &str) -> Option<Arc<CachedImage>> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner).by_address.get(address).cloned()
    }

    /// Keeps an image. When the cache is full it starts anew: a study either fits or is asked for in turns anyway.
    pub fn put(&self, address: &str, stored: StoredImage) -> Arc<CachedImage> {
        let image = Arc::new(CachedImage { media_type: stored.media_type, bytes: stored.bytes.into() });
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if images.bytes + image.bytes.len() > self.largest {
            *images = Images::default();
        }
        if images.by_address.insert(address.to_owned(), image.clone()).is_none() {
            images.bytes += image.bytes.len();
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(size: usize) -> StoredImage {
        StoredImage { media_type: "image/png".into(), bytes: vec![7; size] }
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let cache = ImageCache::new(100);
        for n in 0..20 {
            cache.put(&n.to_string(), image(30));
            let images = cache.images.lock().unwrap();
            let held: usize = images.by_address.values().map(|image| image.bytes.len()).sum();
            assert!(held <= 100 && held == images.bytes);
        }
        assert!(cache.get("19").is_some());
        assert!(cache.get("0").is_none());
    }
}
