//! An experiment is one folder: nothing outside it is read, shown or copied.

use crate::support::{Place, SMALL};

const SECRET: &str = "OPENAI_API_KEY = \"sk-live-123\"\n";

fn refused(place: &Place, root: &str, import: &str) {
    let text = SMALL.replacen("prompt look", &format!("import \"{import}\" as e\nprompt look"), 1);
    place.write(root, &text.replace("\"Small\"", "e.OPENAI_API_KEY"));
    for args in [["check", root].as_slice(), &[root], &["plan", root], &["show", root]] {
        let said = place.epo(args);
        assert_eq!(said.code, 1, "{args:?}: {}", said.err);
        let expected = format!("error[E0041]: cannot import `{import}`");
        assert!(said.err.starts_with(&expected), "{args:?}: {}", said.err);
        assert!(!format!("{}{}", said.out, said.err).contains("sk-live"), "{args:?}: {}{}", said.out, said.err);
    }
    assert!(!place.path("runs").exists());
}

#[test]
fn an_import_from_above_is_refused() {
    let place = Place::new(&[(".env", SECRET), ("other/.env", SECRET)]);
    for import in ["../.env", "../../../../../../etc/passwd", "lib/../../.env", "../other/.env", "../nothing.epo"] {
        refused(&place, "recipe/r.epo", import);
    }
    let above = place.path(".env").display().to_string();
    for import in ["/etc/passwd", above.as_str()] {
        refused(&place, "recipe/r.epo", import);
    }
}

#[test]
fn an_import_of_an_import_stays_in_the_first_files_folder() {
    let place = Place::new(&[(".env", SECRET), ("recipe/lib/a.epo", "import \"../../.env\"\n"), ("recipe/b.epo", "x = 1\n")]);
    place.write("recipe/r.epo", "import \"lib/a.epo\"\n");
    let said = place.epo(&["check", "recipe/r.epo"]);
    assert!(said.code == 1 && said.err.starts_with("error[E0041]: cannot import `../../.env`: it lies outside"), "{}", said.err);
    place.write("recipe/lib/a.epo", "import \"../b.epo\"\n");
    place.epo(&["check", "recipe/r.epo"]).answers("recipe/r.epo: no mistakes\n");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_not_followed() {
    use std::os::unix::fs::symlink;
    let place = Place::new(&[(".env", SECRET), ("other/near.epo", SECRET), ("recipe/real/b.epo", "x = 1\n")]);
    symlink("../.env", place.path("recipe/file.epo")).expect("a link");
    symlink("../other", place.path("recipe/folder")).expect("a link");
    symlink("../other", place.path("recipe/std")).expect("a link");
    symlink("file.epo", place.path("recipe/again.epo")).expect("a link");
    for import in ["file.epo", "again.epo", "folder/near.epo", "folder/nothing.epo", "std/near.epo"] {
        refused(&place, "recipe/r.epo", import);
    }
    symlink("real", place.path("recipe/inside")).expect("a link");
    place.write("recipe/r.epo", "import \"inside/b.epo\"\n");
    place.epo(&["check", "recipe/r.epo"]).answers("recipe/r.epo: no mistakes\n");
}

/// The folder of the first file is the one that it is named in, however it is reached.
#[cfg(unix)]
#[test]
fn a_first_file_that_is_reached_through_links() {
    let place = Place::new(&[("far/r.epo", "import \"b.epo\"\n"), ("far/b.epo", "x = 1\n"), ("near/b.epo", "y = 1\n")]);
    std::os::unix::fs::symlink("far", place.path("link")).expect("a link");
    std::os::unix::fs::symlink("../far/r.epo", place.path("near/r.epo")).expect("a link");
    for root in ["link/r.epo", "near/r.epo", "link/../far/r.epo"] {
        place.epo(&["check", root]).answers(&format!("{root}: no mistakes\n"));
    }
}
