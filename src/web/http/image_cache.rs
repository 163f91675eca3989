//! A cache of images, so that many viewers do not each read them from the database.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use parking_lot::Mutex;

use crate::flow::image_addresses::SentImage;

/// An image as it is sent.
#[derive(Debug)]
pub struct CachedImage {
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: &'static str,
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
    as_sent: HashMap<SentImage, Arc<CachedImage>>,
    bytes: usize,
}

impl ImageCache {
    /// A cache that holds at most `largest` bytes.
    pub fn new(largest: usize) -> Self {
        Self { largest, images: Arc::default() }
    }

    /// The image, if it is cached.
    pub fn get(&self, asked: SentImage) -> Option<Arc<CachedImage>> {
        self.images.lock().as_sent.get(&asked).cloned()
    }

    /// Caches an image. A full cache is emptied first: the images of a study usually fit, and else none would stay long anyway.
    pub fn put(&self, asked: SentImage, image: CachedImage) -> Arc<CachedImage> {
        let image = Arc::new(image);
        let mut images = self.images.lock();
        if images.bytes + image.bytes.len() > self.largest {
            *images = Images::default();
        }
        if images.as_sent.insert(asked, image.clone()).is_none() {
            images.bytes += image.bytes.len();
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use crate::web::http::image_cache::*;

    fn asked(number: i64) -> SentImage {
        SentImage { number, size: 0 }
    }

    #[test]
    fn it_never_holds_more_than_its_limit() {
        let cache = ImageCache::new(100);
        for n in 0..20 {
            cache.put(asked(n), CachedImage { media_type: "image/png", bytes: vec![7; 30].into() });
            let images = cache.images.lock();
            let held: usize = images.as_sent.values().map(|image| image.bytes.len()).sum();
            assert!(held <= 100 && held == images.bytes);
        }
        assert!(cache.get(asked(19)).is_some());
        assert!(cache.get(asked(0)).is_none());
    }
}
