//! Presets: every prior of a visualisation is a switch of its own, and a preset is a named setting of all of them.
//!
//! Lengths are in px of a picture of 224 px, whatever the size of the network's input. Weights are in per cent: at a weight of 1, a
//! term counts as much as one per cent of the range of the unit's responses to natural pictures.

use serde::{Deserialize, Serialize};

use super::VisualiseError;

/// What is optimised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The pixels.
    Pixels,
    /// Fourier coefficients, each divided by its frequency to the power of `decay`, so that coarse structure moves first (Olah et
    /// al. 2017).
    Fourier { decay: f32 },
    /// The phases of Fourier coefficients. Their magnitudes are the mean ones of natural pictures (Fel et al. 2023).
    Phase,
}

/// How the three numbers of a pixel become red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colours {
    /// Each stands for one colour.
    Independent,
    /// They are uncorrelated in ImageNet.
    Imagenet,
    /// They are uncorrelated in the natural pictures at hand.
    Own,
}

/// The rule by which parameters follow gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimiser {
    /// Kingma and Ba 2015.
    Adam,
    /// Adam with Nesterov's momentum (Dozat 2016).
    Nadam,
}

/// A Gaussian blur at every `every`-th step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blur {
    pub every: usize,
    /// Standard deviation in px.
    pub sigma: f32,
}

/// How strongly the images of a unit are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diversity {
    /// With this weight.
    Weight(f64),
    /// With the largest weight for which the weakest image still beats the best natural picture, found in a number of `runs` with
    /// fewer `steps`. The first image is made alone.
    Largest { runs: usize, steps: usize },
}

/// The settings of a visualisation. Fields that a file leaves out are as in [`Preset::none`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preset {
    pub name: String,
    pub steps: usize,
    pub optimiser: Optimiser,
    /// Step size of the optimiser.
    pub rate: f32,
    pub basis: Basis,
    pub colours: Colours,
    /// Whether images start from natural pictures instead of noise.
    pub from_pictures: bool,
    /// Standard deviation of the parameters at the start, if they start as noise. Phases start anywhere.
    pub start: f32,
    /// Width of a border that is optimised too, and cut off at the end.
    pub margin: f32,
    /// For so many steps an image that gets no gradient gets one through silent rectifications.
    pub redirect: usize,
    /// Views of each image per step.
    pub views: usize,
    /// The shares of the image's side that a view may show.
    pub crop: [f32; 2],
    /// The range of random shifts, in px.
    pub jitter: f32,
    /// The largest rotation to either side, in degrees.
    pub rotation: f32,
    /// The largest change of size to either side, as a share.
    pub scale: f32,
    /// Standard deviation of the noise that is added to views (values from 0 to 1).
    pub noise: f32,
    pub diversity: Diversity,
    /// Weight of the mean distance of values from 0.5.
    pub l1: f64,
    /// Weight of the mean squared distance of values from 0.5.
    pub l2: f64,
    /// Weight of total variation: the mean difference of neighbouring values.
    pub variation: f64,
    /// Weight of the distance of patches' colour statistics from those of natural pictures.
    pub patches: f64,
    /// Weight of the mean squared distance from the picture at the start.
    pub nearness: f64,
    /// Blur of the image.
    pub blur: Option<Blur>,
    /// Blur of the gradient.
    pub gradient_blur: Option<Blur>,
}

impl Default for Preset {
    fn default() -> Self {
        Self::none()
    }
}

impl Preset {
    /// No prior at all: Adam on pixels.
    pub fn none() -> Self {
        Self {
            name: "none".into(),
            steps: 512,
            optimiser: Optimiser::Adam,
            rate: 0.05,
            basis: Basis::Pixels,
            colours: Colours::Independent,
            from_pictures: false,
            start: 0.01,
            margin: 0.0,
            redirect: 0,
            views: 1,
            crop: [1.0, 1.0],
            jitter: 0.0,
            rotation: 0.0,
            scale: 0.0,
            noise: 0.0,
            diversity: Diversity::Weight(0.0),
            l1: 0.0,
            l2: 0.0,
            variation: 0.0,
            patches: 0.0,
            nearness: 0.0,
            blur: None,
            gradient_blur: None,
        }
    }

    /// The default of lucid, and of lucent after it (`optvis/transform.py`, `optvis/param`): jitter by 8 and by 4 px, sizes from .9 to
    /// 1.1, rotation by up to 10 degrees, 512 steps of Adam.
    pub fn lucid() -> Self {
        Self {
            name: "lucid".into(),
            basis: Basis::Fourier { decay: 1.0 },
            colours: Colours::Imagenet,
            redirect: 16,
            jitter: 12.0,
            rotation: 10.0,
            scale: 0.1,
            ..Self::none()
        }
    }

    /// Zimmermann, Borowski et al. 2021: lucid with 2,560 steps, jitter by 16 and by 8 px, sizes from .95 to 1.05, rotation by up to 5
    /// degrees, a border of 16 px, and diversity with a weight of 100.
    pub fn study_2021() -> Self {
        Self {
            name: "study-2021".into(),
            steps: 2560,
            margin: 16.0,
            jitter: 24.0,
            rotation: 5.0,
            scale: 0.05,
            diversity: Diversity::Weight(100.0),
            ..Self::lucid()
        }
    }

    /// Zimmermann et al. 2023 (IMI): the study's settings with the largest possible diversity. Its search takes 7 runs; they are
    /// short here, for processors.
    pub fn imi_2023() -> Self {
        Self {
            name: "imi-2023".into(),
            diversity: Diversity::Largest { runs: 7, steps: 256 },
            ..Self::study_2021()
        }
    }

    /// Fel et al. 2023 (MACO, as in Horama and xplique): phases only, 256 steps of NAdam, crops, and noise. The originals show crops of
    /// half of the side and less, with noise of .08; references of a study are seen whole, so crops are larger here, and noise is weaker,
    /// for it hid details in pictures of 112 px. The originals standardise phases and use a rate of 1; phases as they are need less.
    pub fn maco() -> Self {
        Self {
            name: "maco".into(),
            steps: 256,
            optimiser: Optimiser::Nadam,
            rate: 0.1,
            basis: Basis::Phase,
            colours: Colours::Own,
            redirect: 16,
            views: 2,
            crop: [0.75, 1.0],
            noise: 0.02,
            ..Self::none()
        }
    }

    /// After Hamblin et al. 2024 (feature accentuation): so few steps from a natural picture that it stays recognisable.
    pub fn accentuation() -> Self {
        Self {
            name: "accentuation".into(),
            steps: 128,
            from_pictures: true,
            jitter: 12.0,
            rotation: 5.0,
            scale: 0.05,
            ..Self::lucid()
        }
    }

    /// All presets, in the order in which strips show them.
    pub fn all() -> Vec<Self> {
        vec![
            Self::study_2021(),
            Self::lucid(),
            Self::imi_2023(),
            Self::maco(),
            Self::accentuation(),
            Self::none(),
        ]
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, VisualiseError> {
        let found = Self::all().into_iter().find(|preset| preset.name == name);
        found.ok_or_else(|| VisualiseError::UnknownPreset {
            name: name.into(),
            known: Self::all().into_iter().map(|preset| preset.name).collect::<Vec<_>>().join(", "),
        })
    }

    /// Checks that every setting is possible.
    ///
    /// # Errors
    /// One is not.
    pub fn check(&self) -> Result<(), VisualiseError> {
        let fail = |setting: &'static str, need: &'static str| {
            Err(VisualiseError::Setting { preset: self.name.clone(), setting, need })
        };
        let counts = [("steps", self.steps), ("views", self.views)];
        let blurs = [("blur", self.blur), ("gradient_blur", self.gradient_blur)];
        let (weight, runs) = match self.diversity {
            Diversity::Weight(weight) => (weight, 1),
            Diversity::Largest { runs, steps } => (0.0, runs.min(steps)),
        };
        let decay = if let Basis::Fourier { decay } = self.basis { decay } else { 0.0 };
        let amounts = [
            ("decay", f64::from(decay)),
            ("start", f64::from(self.start)),
            ("margin", f64::from(self.margin)),
            ("jitter", f64::from(self.jitter)),
            ("rotation", f64::from(self.rotation)),
            ("noise", f64::from(self.noise)),
            ("diversity", weight),
            ("l1", self.l1),
            ("l2", self.l2),
            ("variation", self.variation),
            ("patches", self.patches),
            ("nearness", self.nearness),
        ];
        if let Some((setting, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return fail(setting, "at least 1");
        }
        if let Some((setting, _)) = amounts.into_iter().find(|(_, amount)| !(0.0..=1e6).contains(amount)) {
            return fail(setting, "a number from 0 to a million");
        }
        if runs == 0 {
            return fail("diversity", "at least 1 run and 1 step in its search");
        }
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return fail("rate", "a number above 0");
        }
        if !(0.0..0.9).contains(&self.scale) {
            return fail("scale", "a share from 0 to .9");
        }
        let [low, high] = self.crop;
        if !(low > 0.0 && low <= high && high <= 1.0) {
            return fail("crop", "two shares above 0 and at most 1, the smaller one first");
        }
        let impossible = |blur: Blur| blur.every == 0 || !(blur.sigma > 0.0 && blur.sigma <= 100.0);
        if let Some((setting, _)) = blurs.into_iter().find(|(_, blur)| blur.is_some_and(impossible)) {
            return fail(setting, "at least 1 step between blurs, and a sigma above 0 and at most 100 px");
        }
        if self.nearness > 0.0 && !self.from_pictures {
            return fail("nearness", "a start from pictures (`from_pictures`)");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_possible_and_have_names() {
        for preset in Preset::all() {
            preset.check().unwrap();
            assert_eq!(Preset::named(&preset.name).unwrap(), preset);
        }
        let error = Preset::named("lucide").unwrap_err().to_string();
        assert!(error.contains("lucide") && error.contains("lucid, imi-2023"), "{error}");
    }

    #[test]
    fn impossible_settings_are_named() {
        let refused = |change: &dyn Fn(&mut Preset)| {
            let mut preset = Preset::none();
            change(&mut preset);
            preset.check().unwrap_err().to_string()
        };
        assert!(refused(&|p| p.steps = 0).contains("steps"));
        assert!(refused(&|p| p.views = 0).contains("views"));
        assert!(refused(&|p| p.variation = -1.0).contains("variation"));
        assert!(refused(&|p| p.l2 = f64::NAN).contains("l2"));
        assert!(refused(&|p| p.diversity = Diversity::Weight(-1.0)).contains("diversity"));
        assert!(refused(&|p| p.diversity = Diversity::Largest { runs: 0, steps: 8 }).contains("diversity"));
        assert!(refused(&|p| p.rate = 0.0).contains("rate"));
        assert!(refused(&|p| p.crop = [0.5, 0.2]).contains("crop"));
        assert!(refused(&|p| p.scale = 1.0).contains("scale"));
        assert!(refused(&|p| p.blur = Some(Blur { every: 0, sigma: 1.0 })).contains("blur"));
        assert!(refused(&|p| p.nearness = 1.0).contains("nearness"));
    }
}
