//! The addresses of a study's images, which differ for each viewer.

use crate::domain::image_file::common_size;
use crate::domain::study::StudyVersion;
use crate::domain::trial::{ImageId, Side, Trial};
use crate::flow::image_addresses::{SentImage, Viewer, ViewerMark};
use crate::flow::secrets::Secrets;

/// Makes the addresses of a version's images for one viewer.
pub struct Gallery<'a> {
    secrets: &'a Secrets,
    version: &'a StudyVersion,
    viewer: ViewerMark,
}

impl<'a> Gallery<'a> {
    pub fn new(secrets: &'a Secrets, version: &'a StudyVersion, viewer: Viewer) -> Self {
        Self { secrets, version, viewer: secrets.viewer_mark(viewer) }
    }

    /// The address of an image for the viewer.
    pub fn address(&self, image: &ImageId) -> String {
        self.at_size(image, 0)
    }

    /// The addresses of a trial's queries, as (left, right). Both are sent in the same number of bytes.
    pub fn queries(&self, trial: &Trial, max_side: Side) -> (String, String) {
        let size_of = |image| self.version.image(image).size;
        let size = common_size(size_of(&trial.max_query), size_of(&trial.min_query));
        let (left, right) = trial.queries(max_side);
        (self.at_size(left, size), self.at_size(right, size))
    }

    fn at_size(&self, image: &ImageId, size: usize) -> String {
        let image = SentImage { number: self.version.image(image).number, size };
        format!("/images/{}", self.secrets.addresses().of(self.viewer, image))
    }
}
