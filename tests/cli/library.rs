//! A folder in the place of the compiled-in library: a setting.

use super::support::{Place, SMALL};
use epo::spec::LIBRARY;

const USER: &str = "import \"std/losses.epo\"\npipeline p { loss { minimize = mean(mine() * logp) } }\n";

/// The library of the program in the folder `mine`.
fn place() -> Place {
    let place = Place::new(&[("user.epo", USER), ("small.epo", SMALL)]);
    LIBRARY.files().for_each(|(name, text)| place.write(&format!("mine/{name}"), text));
    place
}

#[test]
fn a_changed_function_is_seen_without_a_build() {
    let place = place();
    let losses = place.read("mine/std/losses.epo");
    place.write("mine/std/losses.epo", &format!("{losses}\nfn mine() = 2\n"));
    let without = place.epo(&["check", "user.epo"]);
    assert!(without.code == 1 && without.err.contains("there is no function `mine`"), "{without:?}");
    place.epo(&["check", "user.epo", "--library", "mine"]).answers("user.epo: no mistakes\n");
    place.epo_with(&["check", "user.epo"], "", &[("EPO_LIBRARY", "mine")]).answers("user.epo: no mistakes\n");
    place.epo(&["show", "user.epo", "--objective", "--library", "mine"]).answers("p\n  minimize = mean(2 * logp)\n");
    // a name of the folder is suggested as well
    place.write("bare.epo", "pipeline p { loss { minimize = mean(mine() * logp) } }\n");
    let suggested = place.epo(&["check", "bare.epo", "--library", "mine"]);
    assert!(suggested.err.contains("it is defined in `std/losses.epo`"), "{suggested:?}");
    // and a mistake in it is where it is
    place.write("mine/std/losses.epo", &format!("{losses}\nfn mine() = oops\n"));
    let line = losses.lines().count() + 2;
    let wrong = place.epo(&["check", "user.epo", "--library", "mine"]);
    assert!(wrong.code == 1 && wrong.err.contains(&format!("mine/std/losses.epo:{line}:13\n")), "{wrong:?}");
}

#[test]
fn where_the_library_lies_is_in_no_digest() {
    let place = place();
    let plan = |more: &[&str]| place.epo(&[&["plan", "small.epo", "--json"], more].concat());
    let resolved = |more: &[&str]| place.epo(&[&["show", "small.epo", "--as", "resolved"], more].concat());
    for said in [plan(&[]), resolved(&[])] {
        assert_eq!(said.code, 0, "{said:?}");
    }
    assert_eq!(plan(&[]), plan(&["--library", "mine"]));
    assert_eq!(resolved(&[]), resolved(&["--library", "mine"]));
}

#[test]
fn a_folder_that_is_no_library() {
    let place = place();
    let refuses = |args: &[&str], message: &str| {
        let mut all: Vec<&str> = args.to_vec();
        all.extend(["--library", "mine"]);
        place.epo(&all).refuses(&format!("error: the setting `library` (from --library) is wrong: {message}\n"));
    };
    place.remove("mine/lib/household.epo");
    for args in
        [&["check", "small.epo"][..], &["plan", "small.epo"], &["show", "small.epo"], &["small.epo"], &["diff", "small.epo", "small.epo"]]
    {
        refuses(args, "there is no file `mine/lib/household.epo`");
    }
    place
        .epo(&["check", "small.epo", "--library", "nowhere"])
        .refuses("error: the setting `library` (from --library) is wrong: `nowhere` is no folder\n");
    // a verb that reads no pipeline does not look at it
    assert_eq!(place.epo(&["kinds", "--library", "nowhere"]).code, 0);
}
