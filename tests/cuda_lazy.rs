//! `scripts/cuda-lazy.sh`: an archive that opens its library at the first call.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const LIBRARY: &str = "
double mixed(long a, double b, long c, double d, long e, double f, long g, double h, long i, double j, long k, double l, long m, double n,
             long o, double p) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l + 13 * m + 14 * n + 15 * o + 16 * p;
}
int answer(void) { return 42; }
";

const PROGRAM: &str = r#"
#include <stdio.h>
double mixed(long, double, long, double, long, double, long, double, long, double, long, double, long, double, long, double);
int answer(void);
int absent(void);
int main(int count, char **arguments) {
    for (int i = 0; i < 2 && count > 1; i++)
        printf("%.1f ", mixed(1, 0.5, 2, 1.5, 3, 2.5, 4, 3.5, 5, 4.5, 6, 5.5, 7, 6.5, 8, 7.5));
    printf("%d %d\n", answer(), absent());
    return 0;
}
"#;

fn done(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().expect("a command");
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_library_is_opened_at_its_first_call_and_may_be_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("library.c"), LIBRARY).expect("a file");
    fs::write(at("program.c"), PROGRAM).expect("a file");
    fs::write(at("names"), "mixed\nanswer\nabsent\n").expect("a file");
    done(Command::new("gcc").args(["-shared", "-fPIC", "-o"]).arg(at("libepo-test.so.7")).arg(at("library.c")));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/cuda-lazy.sh");
    let names = fs::File::open(at("names")).expect("a file");
    let mut lazy = Command::new("bash");
    lazy.arg(script).arg("libepo-test.so.7").arg(folder.path()).arg("100").arg(at("libtest.a")).stdin(names);
    done(&mut lazy);
    done(Command::new("gcc").arg("-o").arg(at("program")).arg(at("program.c")).arg(at("libtest.a")));
    // a + 2 b + 3 c + … of 1, 0.5, 2, 1.5, …, 8, 7.5
    let sum: f64 = (0..8).map(|i| f64::from((2 * i + 1) * (i + 1)) + f64::from(2 * i + 2) * (f64::from(i) + 0.5)).sum();
    assert_eq!(done(Command::new(at("program")).arg("all")), format!("{sum:.1} {sum:.1} 42 100\n"));
    fs::remove_file(at("libepo-test.so.7")).expect("the library");
    assert_eq!(done(&mut Command::new(at("program"))), "100 100\n");
}
