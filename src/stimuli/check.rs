//! Checks an image file.

/// placeholder until the branch lands
pub struct ImageInfo {
    /// media type
    pub media_type: &'static str,
}

/// placeholder
pub fn check_image(bytes: &[u8], width: u32, height: u32) -> Result<ImageInfo, String> {
    let format = image::guess_format(bytes).map_err(|e| e.to_string())?;
    let decoded = image::load_from_memory(bytes).map_err(|e| e.to_string())?;
    if (decoded.width(), decoded.height()) != (width, height) {
        return Err(format!("is {} x {} px, not {width} x {height} px", decoded.width(), decoded.height()));
    }
    Ok(ImageInfo { media_type: format.to_mime_type() })
}
