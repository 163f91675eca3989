//! Pools of images: a folder of photographs, or views of scenes.

use std::fs;
use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader};
use thiserror::Error;
use weber_stimuli::picture::{Picture, SIDE};
use weber_stimuli::recipe;
use weber_stimuli::scenes::{self, view::View};

/// The shorter side of a photograph before its middle is cut out, in px, as in the study.
pub const RESIZED: u32 = 256;

/// The endings of files that are read as images.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Why a pool or one of its images could not be read.
#[derive(Debug, Error)]
pub enum PoolError {
    #[error("cannot read the folder {path}: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error(
        "{0} holds no image; images are files that end in .jpg, .jpeg, .png or .webp, also in subfolders"
    )]
    Empty(PathBuf),
    #[error("cannot read {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} is not an image that can be read: {source}")]
    Image { path: PathBuf, source: image::ImageError },
    #[error(transparent)]
    Recipe(#[from] recipe::PoolError),
}

/// Images with names, in a fixed order.
pub trait Pool: Sync {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of an image, which stays the same if others are added.
    fn name(&self, index: usize) -> String;

    /// The image as participants see it.
    ///
    /// # Errors
    /// The image cannot be read.
    fn picture(&self, index: usize) -> Result<Picture, PoolError>;

    /// The image with this name.
    ///
    /// # Errors
    /// The image cannot be read.
    fn named(&self, name: &str) -> Result<Picture, PoolError>;

    /// What an image's content depends on, so that changed images are recognised.
    fn fingerprint(&self, index: usize) -> String;

    /// What an image shows, where the pool knows it: kinds with their shares.
    fn kinds(&self, _index: usize) -> Vec<(&'static str, f32)> {
        Vec::new()
    }
}

/// A folder of photographs, with its subfolders.
pub struct Folder {
    root: PathBuf,
    /// Paths relative to the root, in order.
    names: Vec<String>,
    shorter_side: u32,
}

impl Folder {
    /// Lists all images. Files whose name starts with a dot are left out.
    ///
    /// # Errors
    /// A folder cannot be read, or there is no image.
    pub fn open(root: &Path) -> Result<Self, PoolError> {
        let mut names = Vec::new();
        list(root, root, &mut names)?;
        if names.is_empty() {
            return Err(PoolError::Empty(root.into()));
        }
        names.sort_unstable();
        Ok(Self { root: root.into(), names, shorter_side: RESIZED })
    }

    /// The same folder for a network that was trained on photographs of another size. See [`photograph`].
    #[must_use]
    pub fn resized(self, shorter_side: u32) -> Self {
        Self { shorter_side, ..self }
    }
}

fn list(root: &Path, folder: &Path, names: &mut Vec<String>) -> Result<(), PoolError> {
    let error = |source| PoolError::Folder { path: folder.into(), source };
    for entry in fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        if hidden {
            continue;
        }
        if path.is_dir() {
            list(root, &path, names)?;
        } else if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            names.push(name);
        }
    }
    Ok(())
}

/// The middle of a photograph, turned as its camera says: 224 x 224 px after its shorter side was made `shorter_side` px, at least 224.
///
/// # Errors
/// The file cannot be read, or is not an image.
pub fn photograph(path: &Path, shorter_side: u32) -> Result<Picture, PoolError> {
    let file = |source| PoolError::File { path: path.into(), source };
    let fault = |source| PoolError::Image { path: path.into(), source };
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(file)?;
    let mut decoder = reader.into_decoder().map_err(fault)?;
    let orientation = decoder.orientation().map_err(fault)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(fault)?;
    image.apply_orientation(orientation);
    let (width, height) = (image.width().max(1), image.height().max(1));
    let shorter = width.min(height);
    let scaled = |side: u32| (u64::from(side) * u64::from(shorter_side) / u64::from(shorter)) as u32;
    let resized = image.resize_exact(scaled(width), scaled(height), FilterType::Triangle).to_rgb8();
    let (left, top) = ((resized.width() - SIDE as u32) / 2, (resized.height() - SIDE as u32) / 2);
    Ok(Picture::from_fn(|x, y| resized.get_pixel(left + x as u32, top + y as u32).0))
}

impl Pool for Folder {
    fn len(&self) -> usize {
        self.names.len()
    }

    fn name(&self, index: usize) -> String {
        self.names[index].clone()
    }

    fn picture(&self, index: usize) -> Result<Picture, PoolError> {
        self.named(&self.names[index])
    }

    fn named(&self, name: &str) -> Result<Picture, PoolError> {
        photograph(&self.root.join(name), self.shorter_side)
    }

    fn fingerprint(&self, index: usize) -> String {
        let file = fs::metadata(self.root.join(&self.names[index]));
        let changed = file.as_ref().ok().and_then(|file| file.modified().ok());
        format!("{} {:?} {changed:?}", self.names[index], file.map(|file| file.len()).ok())
    }
}

/// The first views of scenes, the pool of the demo. An image's name is its number.
pub struct Views {
    source: recipe::Views,
    count: usize,
}

impl Views {
    /// The pool of the demo study for a seed.
    pub fn demo(seed: u64, count: usize) -> Self {
        Self { source: recipe::Views::demo(seed), count }
    }

    fn view(&self, index: usize) -> View {
        View::numbered(self.source.seed, index, self.source.scenes)
    }
}

impl Pool for Views {
    fn len(&self) -> usize {
        self.count
    }

    fn name(&self, index: usize) -> String {
        index.to_string()
    }

    fn picture(&self, index: usize) -> Result<Picture, PoolError> {
        Ok(self.view(index).paint(self.source.seed))
    }

    fn named(&self, name: &str) -> Result<Picture, PoolError> {
        Ok(recipe::Pool::picture(&self.source, name)?)
    }

    fn fingerprint(&self, index: usize) -> String {
        format!("view {index} of {} scenes, seed {}", self.source.scenes, self.source.seed)
    }

    fn kinds(&self, index: usize) -> Vec<(&'static str, f32)> {
        let view = self.view(index);
        view.scenes().map(scenes::kind).zip(view.shares()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    #[test]
    fn photographs_are_cut_from_the_middle() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        // 512 x 1024 px, red above green: after halving, the middle 224 px show both halves.
        let tall =
            RgbImage::from_fn(512, 1024, |_, y| image::Rgb(if y < 512 { [200, 0, 0] } else { [0, 200, 0] }));
        tall.save(folder.path().join("b/tall.PNG")).unwrap();
        RgbImage::from_pixel(40, 30, image::Rgb([9, 9, 9])).save(folder.path().join("a.png")).unwrap();
        fs::write(folder.path().join(".hidden.png"), "").unwrap();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        let pool = Folder::open(folder.path()).unwrap();
        assert_eq!((0..pool.len()).map(|i| pool.name(i)).collect::<Vec<_>>(), ["a.png", "b/tall.PNG"]);
        let tall = pool.picture(1).unwrap();
        assert_eq!((tall.pixel(3, 5), tall.pixel(220, 200)), ([200, 0, 0], [0, 200, 0]));
        assert_eq!(pool.picture(0).unwrap().pixel(100, 100), [9, 9, 9]);
    }

    #[test]
    fn faults_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let fault = Folder::open(folder.path()).map(|_| ()).unwrap_err().to_string();
        assert!(fault.contains("holds no image"), "{fault}");
        fs::write(folder.path().join("broken.jpg"), "no image").unwrap();
        let fault = Folder::open(folder.path()).unwrap().picture(0).unwrap_err().to_string();
        assert!(fault.contains("broken.jpg is not an image"), "{fault}");
        let fault = Folder::open(&folder.path().join("none")).map(|_| ()).unwrap_err().to_string();
        assert!(fault.contains("cannot read the folder"), "{fault}");
    }

    #[test]
    fn views_know_their_kinds() {
        let pool = Views::demo(1, 30);
        for index in 0..30 {
            let kinds = pool.kinds(index);
            assert!((kinds.iter().map(|(_, share)| share).sum::<f32>() - 1.0).abs() < 1e-4);
        }
        assert_eq!(pool.picture(4).unwrap(), pool.picture(4).unwrap());
    }
}
