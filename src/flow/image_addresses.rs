//! Addresses of images. Each viewer has addresses of their own, so that participants cannot tell each other about an image.
//!
//! An address is one block of AES with the image's number, the size to which it is padded, and a mark of the viewer. Every server
//! with the installation's key can read it without a table. Without the key, addresses cannot be linked or invented: with 10,000
//! images, one in some 28 billion random blocks holds the number of an image.

use std::sync::Arc;

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use uuid::Uuid;

use crate::domain::image_file::SIZE_STEP;

/// A kind of person who looks at images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    Participant(Uuid),
    /// People who see a page before they consent.
    Preview,
    /// Researchers.
    Lab,
}

/// The mark of a viewer in their addresses.
pub type ViewerMark = [u8; 8];

/// An image as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SentImage {
    /// Its number in the database.
    pub number: i64,
    /// The size to which it is padded, in bytes, a multiple of [`SIZE_STEP`]; 0: no padding.
    pub size: usize,
}

/// Makes addresses and reads them. Cheap to clone.
#[derive(Clone)]
pub struct Addresses(Arc<Aes256>);

impl Addresses {
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

    /// The image at an address; none if the address has the wrong form. The image may not exist.
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
    fn only_servers_with_the_key_can_read_an_address() {
        let (one, same, other) = (Addresses::new([1; 32]), Addresses::new([1; 32]), Addresses::new([2; 32]));
        let image = SentImage { number: 1_860, size: 20_480 };
        let address = one.of([7; 8], image);
        assert_eq!(address.len(), 32);
        assert_eq!(same.of([7; 8], image), address, "a browser finds it in its cache again");
        assert_eq!(same.read(&address), Some(image));
        assert!(other.read(&address).unwrap().number > 1_000_000);
    }

    #[test]
    fn no_two_addresses_share_a_half() {
        let addresses = Addresses::new([1; 32]);
        let of = |viewer: u8, number, size| addresses.of([viewer; 8], SentImage { number, size });
        let mut parts = HashSet::new();
        for address in [of(1, 5, 256), of(2, 5, 256), of(1, 6, 256), of(1, 5, 512)] {
            assert!(parts.insert(address[..16].to_owned()));
            assert!(parts.insert(address[16..].to_owned()));
        }
    }

    #[test]
    fn invented_addresses_lead_to_no_image() {
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
