//! `weber stimuli visualise`.

use std::path::PathBuf;

use clap::Args;
use weber_stimuli::picture::Picture;

use super::{Failure, ModelArgs, Teller, preset};
use crate::model::Model;
use crate::parallel;
use crate::pool::{Folder, Pool, Views};
use crate::probe::Probe;
use crate::unit::{Direction, Unit};
use crate::visualise::{Preset, Range, Request, Sign, Visualiser, strip};

/// Natural pictures that a preset may take statistics from.
const SAMPLE: usize = 200;

#[derive(Debug, Args)]
pub struct VisualiseArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// A unit, as layer and channel: mixed4b/3x3/86. May be given several times; each makes a row.
    #[arg(long = "unit", value_name = "LAYER/CHANNEL", required = true)]
    units: Vec<String>,
    /// A preset: study-2021, lucid, imi-2023, maco, accentuation or none. May be given several times; each adds to the rows.
    #[arg(long = "preset", value_name = "NAME", default_values_t = ["lucid".to_owned()])]
    presets: Vec<String>,
    /// The number of images of each unit and preset.
    #[arg(long, default_value_t = 1)]
    count: usize,
    /// Steps of optimisation, if not the preset's own number.
    #[arg(long)]
    steps: Option<usize>,
    /// Look for images that lower the unit's response.
    #[arg(long)]
    lowest: bool,
    /// A folder of photographs for presets that take statistics from natural images or start from them. Without it: painted scenes.
    #[arg(long, value_name = "FOLDER")]
    images: Option<PathBuf>,
    /// The seed of all random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The PNG file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub fn run(args: &VisualiseArgs, say: &(dyn Fn(&str) + Sync)) -> Result<(), Failure> {
    let (model, card) = args.model.load(say)?;
    let presets: Vec<Preset> =
        args.presets.iter().map(|name| preset(name, args.steps)).collect::<Result<_, _>>()?;
    let units: Vec<Unit> = args.units.iter().map(|name| unit(name)).collect::<Result<_, _>>()?;
    let sample = sample(args, card.resize)?;
    let sample: Vec<&Picture> = sample.iter().collect();
    let visualisers: Vec<Visualiser<'_>> =
        presets.iter().map(|preset| Visualiser::new(&model, preset, &sample)).collect::<Result<_, _>>()?;
    let tasks: Vec<(&Unit, &Visualiser<'_>)> =
        units.iter().flat_map(|unit| visualisers.iter().map(move |visualiser| (unit, visualiser))).collect();
    let teller = Teller::new(say);
    let (done, started) = (std::sync::atomic::AtomicUsize::new(0), std::time::Instant::now());
    let made = parallel::map(&tasks, |(unit, visualiser)| {
        let sign = if args.lowest { Sign::Lowest } else { Sign::Highest };
        let (natural, starts) = natural(&model, unit, &sample, sign);
        let request = Request { unit, sign, count: args.count, seed: args.seed, natural, starts: &starts };
        let result = visualiser.visualise(&request);
        let ready = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let progress = crate::progress::Progress(&|report| teller.tell(report));
        progress.step("making images", ready, tasks.len(), started, ready);
        result
    });
    let mut rows: Vec<Vec<Picture>> = vec![Vec::new(); units.len()];
    for (at, result) in made.into_iter().enumerate() {
        let result = result?;
        let (name, preset) = (&args.units[at / presets.len()], &args.presets[at % presets.len()]);
        let responses: Vec<String> =
            result.responses.iter().map(|response| format!("{response:.3}")).collect();
        say(&format!("{name}, {preset}: response {}", responses.join(", ")));
        rows[at / presets.len()].extend(result.pictures);
    }
    let rows: Vec<Vec<&Picture>> = rows.iter().map(|row| row.iter().collect()).collect();
    strip(&rows, 224)
        .save(&args.out)
        .map_err(|error| format!("cannot write {}: {error}", args.out.display()))?;
    Ok(())
}

/// The range of a unit's responses to natural pictures, and the pictures, best first. An unknown unit has no range; the visualiser
/// says what is wrong with it.
fn natural<'p>(
    model: &Model,
    unit: &Unit,
    sample: &[&'p Picture],
    sign: Sign,
) -> (Option<Range>, Vec<&'p Picture>) {
    let layer = model.network.graph().find(&unit.layer);
    let channel = |layer: usize| match unit.direction {
        Direction::Channel(channel) => channel < model.network.channels(layer, model.card.size),
        Direction::Vector(_) => true,
    };
    let Some(layer) = layer.filter(|layer| channel(*layer)) else { return (None, sample.to_vec()) };
    let probe = Probe::new(model, layer, &unit.direction);
    let mut ranked: Vec<(f64, &Picture)> =
        sample.iter().map(|picture| (probe.response(picture), *picture)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let range =
        ranked.first().zip(ranked.last()).map(|(first, last)| Range { lowest: last.0, highest: first.0 });
    if sign == Sign::Lowest {
        ranked.reverse();
    }
    (range, ranked.into_iter().map(|(_, picture)| picture).collect())
}

fn unit(name: &str) -> Result<Unit, Failure> {
    let parts = name.rsplit_once('/').and_then(|(layer, channel)| Some((layer, channel.parse().ok()?)));
    let (layer, channel) = parts.ok_or_else(|| {
        format!("{name} is no unit: give a layer and a channel's number, such as mixed4b/3x3/86")
    })?;
    Ok(Unit { layer: layer.into(), direction: Direction::Channel(channel) })
}

fn sample(args: &VisualiseArgs, resize: u32) -> Result<Vec<Picture>, Failure> {
    let views = Views::demo(args.seed, SAMPLE);
    let pool: Box<dyn Pool> = match &args.images {
        Some(folder) => Box::new(Folder::open(folder)?.resized(resize)),
        None => Box::new(views),
    };
    let step = (pool.len() / SAMPLE).max(1);
    let images: Vec<usize> = (0..pool.len()).step_by(step).collect();
    Ok(parallel::map(&images, |image| pool.picture(*image)).into_iter().collect::<Result<_, _>>()?)
}
