//! The addresses of the researchers' pages, for links and redirects. Actions of a page are under its address, such as
//! `{people}/withdraw`.

/// The list of studies.
pub const LAB: &str = "/lab";

/// The researchers and API tokens.
pub const TEAM: &str = "/lab/team";

/// The signed-in researcher's own account.
pub const ACCOUNT: &str = "/lab/account";

/// The journal of all studies; `?study={slug}` narrows it to one.
pub const JOURNAL: &str = "/lab/journal";

/// The form for the second factor's code.
pub const SIGN_IN_CODE: &str = "/sign-in/code";

/// The page of a study.
pub fn study(slug: &str) -> String {
    format!("/lab/studies/{slug}")
}

/// Defines the addresses of a study's pages: the name of the function, and the end of the address.
macro_rules! pages_of_a_study {
    ($($(#[$meta:meta])* $name:ident = $end:literal;)+) => {
        $($(#[$meta])* pub fn $name(slug: &str) -> String {
            study(slug) + $end
        })+
    };
}

pages_of_a_study! {
    /// The stream that keeps the study's page up to date.
    live = "/live";
    /// All files of an export; under it each file.
    export = "/export";
    /// The page about recruiting.
    recruiting = "/recruiting";
    /// The table of participants.
    participants = "/participants";
    /// The exclusion workbench.
    exclusion = "/exclusion";
    /// The results.
    results = "/results";
    /// The results as one file.
    report = "/report";
    /// The CONSORT flow.
    flow = "/flow";
    /// The files of the figures are under this address.
    figures = "/figures";
    /// People and pay.
    people = "/people";
}

/// The page of one participant.
pub fn participant(slug: &str, pseudonym: &str) -> String {
    format!("{}/{pseudonym}", participants(slug))
}

/// The address that switches a link of a study; its personal links are under it.
pub fn link(slug: &str, link_id: impl std::fmt::Display) -> String {
    format!("{}/links/{link_id}", study(slug))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_leads_to_a_route() {
        let routes = include_str!("mod.rs");
        let slug = "{slug}";
        let pages = [study, live, export, recruiting, participants, exclusion, results, report, flow, people]
            .map(|page| page(slug));
        let parts = [
            participant(slug, "{name}"),
            link(slug, "{id}"),
            figures(slug) + "/{file}",
            participant(slug, "{name}") + "/decision",
            link(slug, "{id}") + "/personal",
        ];
        let fixed = [LAB, TEAM, ACCOUNT, JOURNAL, SIGN_IN_CODE].map(str::to_owned);
        for address in pages.iter().chain(&parts).chain(&fixed) {
            assert!(
                routes.contains(&format!(".route(\"{address}\", ")),
                "{address} is not in the table of routes"
            );
        }
    }
}
