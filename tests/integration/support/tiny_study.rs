//! A small but complete study folder: the shipped definition with two image sets, few slots, and images of 16 x 16 px.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};
use tempfile::TempDir;

pub const HEADER: &str = "condition,kind,difficulty,image_set,unit,layer,branch,base,max_query,min_query,references,\
    base_activation,max_activation,min_activation,center_correct,variance_correct,saliency_correct,object_correct";

/// A study folder that is removed with the test.
pub struct TinyStudy {
    pub folder: TempDir,
}

impl TinyStudy {
    /// A folder with so many slots per condition.
    pub fn new(slots: u32) -> Self {
        let study = Self { folder: tempfile::tempdir().unwrap() };
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("stimuli/demo"), study.path());
        study.edit("study.toml", |text| {
            text.replace("image_sets = 10", "image_sets = 2\nimage_width_px = 16\nimage_height_px = 16")
                .replace("slots_per_condition = 50", &format!("slots_per_condition = {slots}"))
        });
        Table { folder: study.path().to_owned(), images: HashMap::new(), rows: HEADER.to_owned() + "\n" }
            .write();
        study
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Rewrites a file of the folder.
    pub fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let path = self.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = change(text.clone());
        assert_ne!(text, changed, "the edit of {file} changed nothing");
        std::fs::write(path, changed).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

struct Table {
    folder: std::path::PathBuf,
    images: HashMap<String, String>,
    rows: String,
}

impl Table {
    fn write(mut self) {
        std::fs::create_dir(self.folder.join("images")).unwrap();
        for condition in ["synthetic", "natural", "mixed", "blur", "none"] {
            for set in 0..2 {
                for unit in 0..18 {
                    self.row(condition, "main", "", &set.to_string(), &format!("unit-{unit:02}"));
                }
            }
            (0..3).for_each(|n| self.row(condition, "catch", "", "", &format!("catch-{n}")));
            if condition != "none" {
                for n in 0..10 {
                    let difficulty = if n < 3 { "obvious" } else { "easy" };
                    self.row(condition, "practice", difficulty, "", &format!("practice-{n}"));
                }
            }
            (0..3).for_each(|n| self.row(condition, "instruction", "", "", &format!("example-{n}")));
        }
        std::fs::write(self.folder.join("trials.csv"), self.rows).unwrap();
    }

    fn row(&mut self, condition: &str, kind: &str, difficulty: &str, set: &str, unit: &str) {
        let base = self.image(&format!("{unit}-{set}-base"));
        let max = self.image(&format!("{unit}-{set}-max"));
        let min = self.image(&format!("{unit}-{set}-min"));
        let references: Vec<String> =
            (0..9).map(|n| self.image(&format!("{unit}-{set}-reference-{n}"))).collect();
        let references = match condition {
            "none" => String::new(),
            "mixed" => format!("{}|{}", references[..5].join(";"), references[5..].join(";")),
            _ => references.join(";"),
        };
        writeln!(
            self.rows,
            "{condition},{kind},{difficulty},{set},{unit},layer-{},fine,{base},{max},{min},{references},\
             2,1.5,0.5,true,false,,",
            unit.len()
        )
        .unwrap();
    }

    /// Writes an image of another colour for each new name. Returns its path.
    fn image(&mut self, name: &str) -> String {
        let n = self.images.len() as u32;
        let folder = &self.folder;
        let file = self.images.entry(name.to_owned()).or_insert_with(|| {
            let file = format!("images/{name}.png");
            let pixel = Rgb([(n >> 8) as u8, (n & 255) as u8, 128]);
            RgbImage::from_pixel(16, 16, pixel)
                .save_with_format(folder.join(&file), ImageFormat::Png)
                .unwrap();
            file
        });
        file.clone()
    }
}
