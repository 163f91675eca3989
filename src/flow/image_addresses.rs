//! Addresses of images: each viewer has their own, so that what one of them learnt of an image is of no use to another.
//!
//! An address is one block of AES: the image's number, the size to which it is filled up, and what stands for the viewer. Every
//! server with the installation's key reads it without a table. Without the key two addresses cannot be linked and none can be made
//! up: beside 10,000 images, an invented block holds the number of one once in some 28 billion times.

use std::sync::Arc;

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use uuid::Uuid;

use crate::domain::image_file::SIZE_STEP;

/// Who looks at images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// A participant.
    Participant(Uuid),
    /// People who look at a page before they agree.
    Preview,
    /// Researchers.
    Lab,
}

/// What stands for a viewer in their addresses.
pub type ViewerMark = [u8; 8];

/// An image as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SentImage {
    /// Its number in the database.
    pub number: i64,
    /// The size to which it is filled up, in bytes, a multiple of [`SIZE_STEP`]; 0: it is sent as it is.
    pub size: usize,
}

/// Makes addresses and reads them. Cheap to clone.
#[derive(Clone)]
pub struct Addresses(Arc<Aes256>);

impl Addresses {
    /// Takes the key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Arc::new(Aes256::new(&key.into())))
    }

    /// The address of an image.
    pub fn of(&self, viewer: ViewerMark, image: SentImage) -> String {
        // Images have at most 2 MB and numbers far below 2^48.
        let steps = u16::try_from(image.size / SIZE_STEP).unwrap_or_default();
        let mut block = [0; 16];
        block[..6].copy_from_slice(&image.number.to_be_bytes()[2..]);
        block[6..8].copy_from_slice(&steps.to_be_bytes());
        block[8..].copy_from_slice(&viewer);
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        hex::encode(block)
    }

    /// The image at an address; none if it cannot be one. The image need not be there.
    pub fn read(&self, address: &str) -> Option<SentImage> {
        let mut block = [0; 16];
        hex::decode_to_slice(address, &mut block).ok()?;
        let mut block = block.into();
        self.0.decrypt_block(&mut block);
        let [a, b, c, d, e, f, high, low, ..] = <[u8; 16]>::from(block);
        let number = i64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        Some(SentImage { number, size: usize::from(u16::from_be_bytes([high, low])) * SIZE_STEP })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_address_is_read_by_every_server_with_the_key_and_by_no_other() {
        let (one, same, other) = (Addresses::new([1; 32]), Addresses::new([1; 32]), Addresses::new([2; 32]));
        let image = SentImage { number: 1_860, size: 20_480 };
        let address = one.of([7; 8], image);
        assert_eq!(address.len(), 32);
        assert_eq!(same.of([7; 8], image), address, "a browser finds it in its cache again");
        assert_eq!(same.read(&address), Some(image));
        assert!(other.read(&address).unwrap().number > 1_000_000);
    }

    #[test]
    fn no_two_addresses_share_anything() {
        let addresses = Addresses::new([1; 32]);
        let of = |viewer: u8, number, size| addresses.of([viewer; 8], SentImage { number, size });
        let mut parts = HashSet::new();
        for address in [of(1, 5, 256), of(2, 5, 256), of(1, 6, 256), of(1, 5, 512)] {
            assert!(parts.insert(address[..16].to_owned()));
            assert!(parts.insert(address[16..].to_owned()));
        }
    }

    #[test]
    fn what_is_invented_leads_nowhere() {
        let addresses = Addresses::new([1; 32]);
        for address in ["", "0", "images", &"0".repeat(30), &"0".repeat(34), &"g".repeat(32), &"ü".repeat(16)]
        {
            assert_eq!(addresses.read(address), None, "{address}");
        }
        for n in 0..10_000u128 {
            let invented = addresses.read(&format!("{n:032x}")).unwrap();
            assert!(invented.number > 1_000_000, "{n}");
        }
    }
}
