//! What presets do to the images of small networks.

use super::*;
use crate::testing::{random_demo, tiny};

fn unit(layer: &str, channel: usize) -> Unit {
    Unit { layer: layer.into(), direction: Direction::Channel(channel) }
}

fn natural(number: usize) -> Picture {
    Picture::from_fn(|x, y| {
        let wave = |k: usize| (127.0 + 110.0 * (0.02 * (k * x + (7 - k + number) * y) as f32).sin()) as u8;
        [wave(2), wave(3), wave(5 + number)]
    })
}

fn request<'a>(unit: &'a Unit, starts: &'a [&'a Picture]) -> Request<'a> {
    Request { unit, sign: Sign::Highest, count: 2, seed: 1, natural: None, starts }
}

/// Images of a tiny network's unit, or an error's text.
fn made(preset: &Preset, change: impl Fn(&mut Request<'_>)) -> Result<Visualised, String> {
    let (model, unit, pictures) = (tiny(32, 0.2), unit("b", 1), [natural(0), natural(1)]);
    let pictures: Vec<&Picture> = pictures.iter().collect();
    let mut request = request(&unit, &pictures);
    change(&mut request);
    let visualiser = Visualiser::new(&model, preset, &pictures).map_err(|error| error.to_string())?;
    visualiser.visualise(&request).map_err(|error| error.to_string())
}

fn plain(preset: &Preset) -> Visualised {
    made(preset, |_| ()).unwrap()
}

/// A preset of few steps that starts with visible noise.
fn short() -> Preset {
    Preset { steps: 4, rate: 0.2, start: 0.5, ..Preset::none() }
}

#[test]
fn each_switch_changes_the_result() {
    let from_pictures = Preset { from_pictures: true, ..short() };
    let fourier = Preset { basis: Basis::Fourier { decay: 1.0 }, ..short() };
    let blur = Some(Blur { every: 2, sigma: 8.0 });
    let cases = [
        ("steps", short(), Preset { steps: 5, ..short() }),
        ("optimiser", short(), Preset { optimiser: Optimiser::Nadam, ..short() }),
        ("rate", short(), Preset { rate: 0.3, ..short() }),
        ("basis", short(), fourier.clone()),
        ("decay", fourier.clone(), Preset { basis: Basis::Fourier { decay: 2.0 }, ..short() }),
        ("phase", fourier, Preset { basis: Basis::Phase, ..short() }),
        ("imagenet", short(), Preset { colours: Colours::Imagenet, ..short() }),
        ("own", short(), Preset { colours: Colours::Own, ..short() }),
        ("from_pictures", short(), from_pictures.clone()),
        ("start", short(), Preset { start: 0.1, ..short() }),
        ("margin", short(), Preset { margin: 16.0, ..short() }),
        ("views", Preset { jitter: 30.0, ..short() }, Preset { jitter: 30.0, views: 2, ..short() }),
        ("crop", short(), Preset { crop: [0.5, 0.9], ..short() }),
        ("jitter", short(), Preset { jitter: 30.0, ..short() }),
        ("rotation", short(), Preset { rotation: 10.0, ..short() }),
        ("scale", short(), Preset { scale: 0.2, ..short() }),
        ("noise", short(), Preset { noise: 0.1, ..short() }),
        ("diversity", short(), Preset { diversity: Diversity::Weight(50.0), ..short() }),
        ("l1", short(), Preset { l1: 1e4, ..short() }),
        ("l2", short(), Preset { l2: 1e4, ..short() }),
        ("variation", short(), Preset { variation: 1e4, ..short() }),
        ("patches", short(), Preset { patches: 1e4, ..short() }),
        ("nearness", from_pictures.clone(), Preset { nearness: 1e4, ..from_pictures }),
        ("blur", short(), Preset { blur, ..short() }),
        ("gradient_blur", short(), Preset { gradient_blur: blur, ..short() }),
    ];
    for (name, without, with) in cases {
        assert_ne!(plain(&without).pictures, plain(&with).pictures, "{name}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let preset = Preset { steps: 3, ..Preset::study_2021() };
    assert_eq!(plain(&preset), plain(&preset));
    let images = plain(&preset).pictures;
    assert_ne!(images[0], images[1]);
    assert_ne!(images, made(&preset, |request| request.seed = 2).unwrap().pictures);
}

#[test]
fn redirection_moves_silent_units() {
    // The rectified map of this unit is zero for every picture, and stays so for a while.
    let (model, unit) = (tiny(16, -50.0), unit("relu", 1));
    let run = |redirect: usize| {
        let preset = Preset { redirect, ..short() };
        let visualiser = Visualiser::new(&model, &preset, &[]).unwrap();
        visualiser.visualise(&request(&unit, &[])).unwrap().pictures
    };
    assert_ne!(run(0), run(16));
    assert_eq!(run(0), {
        let start = Preset { rate: 1e-9, ..short() };
        Visualiser::new(&model, &start, &[]).unwrap().visualise(&request(&unit, &[])).unwrap().pictures
    });
}

#[test]
fn both_signs_move_the_response() {
    let preset = Preset { steps: 20, ..Preset::lucid() };
    let grey = plain(&Preset { steps: 1, rate: 1e-6, ..preset.clone() }).responses[0];
    let highest = plain(&preset).responses[0];
    let lowest = made(&preset, |request| request.sign = Sign::Lowest).unwrap().responses[0];
    assert!(lowest < grey && grey < highest, "{lowest} {grey} {highest}");
}

#[test]
fn diversity_makes_images_less_similar() {
    let similarity = |weight: f64| {
        let preset = Preset { steps: 30, diversity: Diversity::Weight(weight), ..Preset::lucid() };
        made(&preset, |request| request.count = 3).unwrap().similarity
    };
    let (without, with) = (similarity(0.0), similarity(100.0));
    assert!(without <= 1.0 + 1e-6 && with < without - 0.02, "{without} {with}");
}

/// The share of a picture's power (without its mean) at more than a quarter of the highest frequency.
fn high_share(picture: &Picture) -> f32 {
    let image = Image::of(picture, 112);
    let transform = spectrum::Transform::new(112);
    let (mut high, mut all) = (0.0, 0.0);
    for channel in 0..3 {
        for (value, frequency) in
            transform.spectrum(image.channel(channel)).iter().zip(transform.frequencies()).skip(1)
        {
            all += value.norm_sqr();
            high += if frequency > 0.125 { value.norm_sqr() } else { 0.0 };
        }
    }
    high / all
}

#[test]
fn without_priors_images_are_strong_noise() {
    let (model, unit) = (random_demo(3), unit("mixed3b/3x3", 7));
    let run = |preset: Preset| {
        let visualiser = Visualiser::new(&model, &preset, &[]).unwrap();
        visualiser.visualise(&Request { count: 1, ..request(&unit, &[]) }).unwrap()
    };
    let start = run(Preset { steps: 1, rate: 1e-6, ..Preset::none() }).responses[0];
    let none = run(Preset { steps: 24, ..Preset::none() });
    let lucid = run(Preset { steps: 24, ..Preset::lucid() });
    assert!(none.responses[0] > start, "{start} {:?}", none.responses);
    let (rough, smooth) = (high_share(&none.pictures[0]), high_share(&lucid.pictures[0]));
    assert!(rough > 0.5 && smooth < 0.6 * rough, "{rough} {smooth}");
}

#[test]
fn the_largest_diversity_keeps_images_above_natural_pictures() {
    let search = Diversity::Largest { runs: 4, steps: 8 };
    let preset = Preset { steps: 12, diversity: search, ..Preset::lucid() };
    let alone = plain(&Preset { diversity: Diversity::Weight(0.0), ..preset.clone() }).responses[0];
    let grey = plain(&Preset { steps: 1, rate: 1e-6, ..Preset::lucid() }).responses[0];
    let with = |highest: f64| {
        let natural = Some(Range { lowest: grey - 1.0, highest });
        made(&preset, |request| (request.natural, request.count) = (natural, 3)).unwrap()
    };
    let reached = with(grey + 0.1 * (alone - grey));
    assert!(reached.diversity > 0.0 && reached.below == Some(0), "{:?}", reached.responses);
    assert_eq!(reached.pictures.len(), 3);
    let pair = made(&preset, |request| request.natural = Some(Range { lowest: grey - 1.0, highest: grey }));
    assert_eq!(pair.unwrap().diversity, 0.0);
    let missed = with(alone + 1000.0);
    assert_eq!((missed.diversity, missed.below), (0.0, Some(3)));
    let error = made(&preset, |_| ()).unwrap_err();
    assert!(error.contains("best natural picture"), "{error}");
}

#[test]
fn requests_that_cannot_be_met_are_explained() {
    let error = |change: &dyn Fn(&mut Preset), layer: &str, direction: Direction| {
        let (model, mut preset) = (tiny(16, 0.2), short());
        change(&mut preset);
        let unit = Unit { layer: layer.into(), direction };
        let visualiser = match Visualiser::new(&model, &preset, &[]) {
            Ok(visualiser) => visualiser,
            Err(error) => return error.to_string(),
        };
        visualiser.visualise(&request(&unit, &[])).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let channel = Direction::Channel(0);
    assert!(error(&|_| (), "mixed", channel.clone()).contains("no layer mixed"));
    assert!(error(&|_| (), "b", Direction::Channel(5)).contains("5 channels, so channel 5"));
    assert!(error(&|_| (), "b", Direction::Vector(vec![1.0; 4])).contains("a vector of 4 numbers"));
    assert!(
        error(&|p| p.from_pictures = true, "b", channel.clone()).contains("starts from natural pictures")
    );
    assert!(
        error(&|p| p.colours = Colours::Own, "b", channel.clone())
            .contains("`colours` needs natural pictures")
    );
    assert!(error(&|p| p.steps = 0, "b", channel.clone()).contains("`steps` must be at least 1"));
    assert!(
        error(&|p| (p.rate, p.colours) = (3e38, Colours::Imagenet), "b", channel).contains("smaller rate")
    );
    assert!(made(&short(), |request| request.count = 0).unwrap_err().contains("at least 1 image"));
}
