//! The port that the simulator's process listens on: for who knows the token.

use crate::common::{alone, data, played, walks, world};
use epo::env::scienceworld::Config;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The ports on which a process listens.
fn ports(process: u32) -> Vec<u16> {
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{process}/fd"))
        .expect("the process runs")
        .filter_map(|entry| {
            std::fs::read_link(entry.ok()?.path()).ok()?.to_str()?.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned)
        })
        .collect();
    let listening = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let ours = *state == "0A" && sockets.iter().any(|socket| socket == inode);
        ours.then(|| u16::from_str_radix(address.rsplit(':').next()?, 16).ok()).flatten()
    };
    let tables = ["tcp", "tcp6"].map(|table| std::fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap_or_default());
    tables.iter().flat_map(|table| table.lines()).filter_map(listening).collect()
}

fn answer(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the port is open");
    stream.set_read_timeout(Some(Duration::from_secs(3))).expect("set");
    let _ = stream.write_all(request.as_bytes());
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn without_the_token_nothing_is_called() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config::default());
    let mut game = world.game().expect("set up");
    let (id, actions) = walks(1, 3).remove(0);
    let before = played(&mut game, &id, &actions).expect("played");
    let call = "c\nz:java.lang.System\ngetProperty\nsjava.version\ne\n";
    let file = std::env::temp_dir().join(format!("epo-door-{}", std::process::id()));
    let write = format!("i\njava.io.FileOutputStream\ns{}\ne\n", file.display());
    let mut found = 0;
    for process in world.processes() {
        for port in ports(process) {
            found += 1;
            for request in [
                call.to_owned(),
                write.clone(),
                format!("A\n\n{call}"),
                format!("A\nguessed\n{write}"),
                format!("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{write}"),
                format!("{call}\n{write}"),
                "s\ne\n".into(),
            ] {
                let said = answer(port, &request);
                assert!(!said.contains("!y"), "{request:?}: {said}");
                assert!(!file.exists(), "{request:?}");
            }
        }
        let arguments = std::fs::read(format!("/proc/{process}/cmdline")).expect("the process runs");
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        assert!(arguments.contains(" -cp py4j.jar:scienceworld.jar py4j.GatewayServer --enable-auth "), "{arguments}");
        let environment = std::fs::read(format!("/proc/{process}/environ")).expect("the process runs");
        assert_eq!(String::from_utf8_lossy(&environment), "");
    }
    assert_eq!(found, 1, "one process, one port");
    assert_eq!(played(&mut game, &id, &actions).expect("played"), before);
}

/// What the folder of the files is called is no path of classes, and what is changed there after the first game began is not run.
#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn what_was_verified_is_what_runs() {
    let _alone = alone();
    let (id, actions) = walks(1, 3).remove(0);
    let folder = tempfile::tempdir().expect("a folder");
    let data_here = folder.path().join("a:evil;b");
    std::fs::create_dir(&data_here).expect("a folder");
    for entry in std::fs::read_dir(data()).expect("the data") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), data_here.join(entry.file_name())).expect("copied");
    }
    let expected = played(&mut world(data(), Config::default()).game().expect("set up"), &id, &actions).expect("played");
    let world = world(&data_here, Config::default());
    let mut first = world.game().expect("set up");
    for name in ["scienceworld.jar", "py4j.jar", "object_type_ids.tsv"] {
        std::fs::write(data_here.join(name), "another file").expect("written");
    }
    assert_eq!(played(&mut first, &id, &actions).expect("played"), expected);
    assert_eq!(played(&mut world.game().expect("set up"), &id, &actions).expect("played"), expected);
}
