//! Makes the images and trials of one unit.

use super::selection::Plan;
use super::{BuildError, DemoOptions};
use crate::baselines::Baselines;
use crate::blur::{blurred_reference, choose_window, gaussian};
use crate::dice::Dice;
use crate::folder::Folder;
use crate::inlay::{Inlay, Patch};
use crate::machine::{Differentiable, queries};
use crate::occlusion::Queries;
use crate::picture::Picture;
use crate::ranking::{BINS, MIXED_NATURAL};
use crate::recipe::Role;
use crate::scenes;
use crate::synthetic::{Ascent, visualise};
use crate::trials::{Condition, Difficulty, Kind, TrialRow};

/// The number of synthetic images in a trial of the synthetic condition.
const SYNTHETIC: usize = BINS - 1;
const MIXED_SYNTHETIC: usize = SYNTHETIC - MIXED_NATURAL;

/// Everything that is needed to make a unit's images.
pub struct Workshop<'a, M> {
    machine: &'a M,
    options: &'a DemoOptions,
    folder: &'a Folder,
    plan: &'a Plan,
}

/// One image set of one unit: the parts that its trials share in all conditions.
struct ImageSet {
    number: usize,
    base: Picture,
    base_path: String,
    base_response: f64,
    queries: Queries,
}

impl<'a, M: Differentiable> Workshop<'a, M> {
    pub fn new(machine: &'a M, options: &'a DemoOptions, folder: &'a Folder, plan: &'a Plan) -> Self {
        Self { machine, options, folder, plan }
    }

    /// Makes the images of a unit and returns its trials.
    pub fn unit(&self, unit: usize) -> Result<Vec<TrialRow>, BuildError> {
        self.folder.rows(&self.name(unit), || {
            let synthetic = self.synthetic(unit, SYNTHETIC)?;
            let mixed = self.synthetic(unit, MIXED_SYNTHETIC)?;
            let mut rows = Vec::new();
            for image_set in &self.plan.image_sets[unit] {
                let set = self.image_set(unit, *image_set)?;
                for condition in self.conditions(unit) {
                    rows.push(self.trial(unit, &set, condition, &synthetic, &mixed)?);
                }
            }
            Ok(rows)
        })
    }

    fn name(&self, unit: usize) -> String {
        self.machine.units()[unit].name()
    }

    /// The conditions with trials of a unit. The condition without references has no practice.
    fn conditions(&self, unit: usize) -> impl Iterator<Item = Condition> {
        let practice = matches!(self.plan.roles[unit], Role::Obvious | Role::Easy);
        Condition::ALL.into_iter().filter(move |condition| !(practice && *condition == Condition::None))
    }

    fn kind(&self, unit: usize) -> Kind {
        match self.plan.roles[unit] {
            Role::Main => Kind::Main,
            Role::Catch => Kind::Catch,
            Role::Obvious => Kind::Practice(Difficulty::Obvious),
            Role::Easy => Kind::Practice(Difficulty::Easy),
            Role::Instruction => Kind::Instruction,
        }
    }

    fn image(&self, path: String, picture: impl FnOnce() -> Picture) -> Result<String, BuildError> {
        let encode = |source| BuildError::Encode { path: path.clone().into(), source };
        let jpeg = || picture().to_jpeg().map_err(encode);
        self.folder.file(path.clone(), jpeg)
    }

    fn scene(&self, number: usize) -> Result<String, BuildError> {
        self.image(scene_path(number), || scenes::paint(self.options.seed, number))
    }

    fn image_set(&self, unit: usize, number: usize) -> Result<ImageSet, BuildError> {
        let (base, queries) = self.search(unit, number)?;
        let base_path = self.scene(self.plan.favourites[unit].base(number))?;
        Ok(ImageSet { number, base_response: self.machine.response(unit, &base), base, base_path, queries })
    }

    /// The base image of an image set, with its best and worst occlusion.
    fn search(&self, unit: usize, image_set: usize) -> Result<(Picture, Queries), BuildError> {
        let scene = self.plan.favourites[unit].base(image_set);
        let base = scenes::paint(self.options.seed, scene);
        let queries = queries(self.machine, unit, &base, &Patch::STUDY.corners())
            .ok_or_else(|| BuildError::NoAnswer { unit: self.name(unit), scene })?;
        Ok((base, queries))
    }

    fn trial(
        &self,
        unit: usize,
        set: &ImageSet,
        condition: Condition,
        synthetic: &[String],
        mixed: &[String],
    ) -> Result<TrialRow, BuildError> {
        let definition = &self.machine.units()[unit];
        let queries = &set.queries;
        let foil = self.plan.foils.get(&unit).filter(|_| condition == Condition::None);
        let (min_query, min_activation) = match foil {
            Some((other, image_set)) => self.foil(unit, *other, *image_set)?,
            None => (
                self.query(unit, set.number, "min", || queries.min.of(&set.base, Patch::STUDY))?,
                queries.min.response,
            ),
        };
        let decided = Baselines::decide(&set.base, Patch::STUDY, queries);
        Ok(TrialRow {
            condition,
            kind: self.kind(unit),
            image_set: set.number,
            unit_index: unit,
            unit: definition.name(),
            layer: definition.layer.clone(),
            branch: definition.branch.clone(),
            base: set.base_path.clone(),
            max_query: self.query(unit, set.number, "max", || queries.max.of(&set.base, Patch::STUDY))?,
            min_query,
            references: self.references(unit, set.number, condition, synthetic, mixed)?,
            base_activation: set.base_response,
            max_activation: queries.max.response,
            min_activation,
            // The rules cannot compare images of two scenes.
            baselines: [decided.center, decided.variance, decided.saliency]
                .map(|right| foil.is_none().then_some(right)),
        })
    }

    fn query(
        &self,
        unit: usize,
        image_set: usize,
        which: &str,
        picture: impl FnOnce() -> Picture,
    ) -> Result<String, BuildError> {
        self.image(format!("images/queries/{}-{image_set}-{which}.jpg", self.name(unit)), picture)
    }

    /// The wrong answer of a catch trial without references: an occluded image of an unrelated unit, with this unit's response to it.
    fn foil(&self, unit: usize, other: usize, image_set: usize) -> Result<(String, f64), BuildError> {
        let (base, queries) = self.search(other, image_set)?;
        let picture = queries.min.of(&base, Patch::STUDY);
        let response = self.machine.response(unit, &picture);
        Ok((self.query(other, image_set, "min", || picture)?, response))
    }

    fn references(
        &self,
        unit: usize,
        image_set: usize,
        condition: Condition,
        synthetic: &[String],
        mixed: &[String],
    ) -> Result<Vec<Vec<String>>, BuildError> {
        let scenes = self.plan.favourites[unit].references(image_set);
        let natural =
            |scenes: &[usize]| scenes.iter().map(|scene| self.scene(*scene)).collect::<Result<Vec<_>, _>>();
        Ok(match condition {
            Condition::Synthetic => vec![synthetic.to_vec()],
            Condition::Natural => vec![natural(&scenes)?],
            Condition::Mixed => vec![natural(&scenes[scenes.len() - MIXED_NATURAL..])?, mixed.to_vec()],
            Condition::Blur => {
                vec![scenes.iter().map(|scene| self.blurred(unit, *scene)).collect::<Result<_, _>>()?]
            }
            Condition::None => Vec::new(),
        })
    }

    fn blurred(&self, unit: usize, scene: usize) -> Result<String, BuildError> {
        self.image(format!("images/blurred/{}-{scene:05}.jpg", self.name(unit)), || {
            let (picture, patch) =
                (scenes::paint(self.options.seed, scene), Patch { stride: 8, ..Patch::STUDY });
            let corners = patch.corners();
            let responses =
                self.machine.inlay_responses(unit, &gaussian(&picture), Inlay::Of(&picture), &corners);
            let window = choose_window(&corners, &responses).expect("a patch has positions");
            blurred_reference(&picture, patch, window)
        })
    }

    /// A set of synthetic images that were optimised together.
    fn synthetic(&self, unit: usize, count: usize) -> Result<Vec<String>, BuildError> {
        let ascent = Ascent { steps: self.options.ascent_steps, ..Ascent::default() };
        let dice = Dice::new(self.options.seed, "synthetic", (unit * BINS + count) as u64);
        let pictures = visualise(self.machine, unit, count, self.plan.strongest[unit], &ascent, &dice);
        let path = |i: usize| format!("images/synthetic/{}-{}of{count}.jpg", self.name(unit), i + 1);
        pictures.into_iter().enumerate().map(|(i, picture)| self.image(path(i), || picture)).collect()
    }
}

fn scene_path(number: usize) -> String {
    format!("images/scenes/{number:05}.jpg")
}
