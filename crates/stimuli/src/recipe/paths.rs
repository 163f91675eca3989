//! Where the images of a study are, relative to its folder.

/// An image of the pool.
pub fn natural(image: &str) -> String {
    format!("images/natural/{}.jpg", file_name(image))
}

/// A query of an image set, by the set's name: `max`, `min` or `foil`.
pub fn query(set: &str, which: &str) -> String {
    format!("images/queries/{set}-{which}.png")
}

/// A blurred reference of an image set, by the set's name. References are counted from 0.
pub fn blurred(set: &str, reference: usize) -> String {
    format!("images/blurred/{set}-{}.jpg", reference + 1)
}

/// A synthetic image.
pub fn synthetic(name: &str) -> String {
    format!("images/synthetic/{name}")
}

/// A name of a file for an image's name. Names that differ stay different: a byte that is no letter, digit, dash, underscore or dot
/// becomes `=` and its two hexadecimal digits.
fn file_name(image: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("={other:02X}"),
    };
    image.bytes().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn names_in_the_pool_become_names_of_files() {
        assert_eq!(natural("n01440764/tench_1.JPEG"), "images/natural/n01440764=2Ftench_1.JPEG.jpg");
        assert_eq!(natural("a;b|c=d ü"), "images/natural/a=3Bb=7Cc=3Dd=20=C3=BC.jpg");
    }
}
