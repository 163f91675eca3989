//! `weber stimuli check`: the first step with a network from outside.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, ModelArgs};
use crate::architecture::Architecture;
use crate::card::ModelCard;
use crate::model::Model;
use crate::pool::photograph;

/// Classes that are listed for each photograph.
const LISTED: usize = 3;

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Photographs: the classes that the network sees in each are listed, and the card's checks are not run.
    #[arg(value_name = "PHOTOGRAPH")]
    photographs: Vec<PathBuf>,
}

/// Writes a card if there is none, and lists classes of photographs or runs the card's checks.
pub(super) fn run(args: &CheckArgs, say: &(dyn Fn(&str) + Sync)) -> Result<(), Failure> {
    let path = args.model.card_path();
    let known = args.model.architecture.as_deref().and_then(Architecture::named);
    if let Some(architecture) = known.filter(|_| !path.exists()) {
        write_card(&path, architecture)?;
        say(&format!(
            "Wrote {} with the settings of the published network. It needs a check.",
            path.display()
        ));
    }
    if args.photographs.is_empty() {
        return args.model.load(say).map(|_| ());
    }
    let card = ModelCard::read(&path)?;
    let model = Model::load_unchecked(&args.model.model, args.model.architecture.as_deref(), &card)?;
    for path in &args.photographs {
        let classes = card.classes(&model, &photograph(path, card.resize)?)?;
        let listed: Vec<String> =
            classes.iter().take(LISTED).map(|(class, share)| format!("{class} {share:.2}")).collect();
        say(&format!("{}: {}", path.display(), listed.join(", ")));
    }
    Ok(())
}

/// Writes the card of a published network where no file is.
fn write_card(path: &Path, architecture: Architecture) -> Result<(), Failure> {
    let error = |error| format!("cannot write {}: {error}", path.display());
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(error)?;
    let text = format!(
        "# How the network wants its pictures. Add a photograph whose class is known, so that the card can be checked:\n\
         # [[checks]]\n# picture = \"daisy.jpg\"\n# class = 985\n\n{}",
        ModelCard::for_architecture(architecture).to_toml()
    );
    file.write_all(text.as_bytes()).map_err(error)?;
    Ok(())
}
