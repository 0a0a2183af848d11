//! `epo-run watch`: the page of a run that goes on.

use super::Settings;
use clap::Args;

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "nobody serves"))]
pub(super) struct WatchArgs {
    /// `ppo_epo/7f3a9c41`, the beginning of its digest, or a name that but one run has; by default the run that goes on, or the last one.
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// Where to listen on 127.0.0.1; 0: any that is free.
    #[arg(long, value_name = "N", default_value_t = 8001)]
    pub port: u16,
}

#[cfg(not(feature = "serve"))]
pub(super) fn run(_args: &WatchArgs, _settings: &Settings) -> u8 {
    super::complain("this program was built without `serve` (cargo build --features serve)")
}

#[cfg(feature = "serve")]
pub(super) use with::run;

#[cfg(feature = "serve")]
mod with {
    use super::{Settings, WatchArgs};
    use crate::cli::{DONE, FAILED, answer, complain, complain_with, runs, stop};
    use crate::exec::Watching;
    use crate::store::{RunState, RunSummary, Store};
    use crate::watch::serve;
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};

    pub(in crate::cli) fn run(args: &WatchArgs, settings: &Settings) -> u8 {
        match watch(args, settings) {
            Ok(code) | Err(code) => code,
        }
    }

    fn watch(args: &WatchArgs, settings: &Settings) -> Result<u8, u8> {
        let store = Store::new(&settings.values.runs);
        let run = match &args.run {
            Some(name) => store.find_run(name).map_err(|error| runs::wrong(&error))?,
            None => of_interest(store.runs().map_err(|error| runs::wrong(&error))?, &store)?,
        };
        let watching = Watching::new(&store, &run).map_err(|error| runs::wrong(&error))?;
        // Others of the machine can reach it, but no other machine.
        let place = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
        let no_place =
            |error: std::io::Error| complain_with(&format!("cannot listen on {place}: {error}"), Some("`--port 0` takes one that is free"));
        let listener = TcpListener::bind(place).map_err(no_place)?;
        let address = listener.local_addr().map_err(no_place)?;
        let stop = stop::on_ctrl_c("stopping; press Ctrl-C again to stop at once")?;
        answer(&format!("watching {} at http://{address}/\n", run.id));
        serve(watching, listener, &stop).map_err(|message| {
            complain(&message);
            FAILED
        })?;
        Ok(DONE)
    }

    /// The only run that goes on, or else the one of which was heard last.
    fn of_interest(runs: Vec<RunSummary>, store: &Store) -> Result<RunSummary, u8> {
        let running: Vec<&RunSummary> = runs.iter().filter(|run| run.state == RunState::Running).collect();
        match running.as_slice() {
            [one] => Ok((*one).clone()),
            [] => {
                let last = runs.into_iter().filter(|run| run.state != RunState::Unreadable).max_by(|a, b| a.last.cmp(&b.last));
                last.ok_or_else(|| complain(&format!("there are no runs in `{}`", store.root().display())))
            }
            several => {
                let names = several.iter().map(|run| format!("`{}`", run.id)).collect::<Vec<_>>().join(", ");
                Err(complain(&format!("{} runs go on: {names}; name one", several.len())))
            }
        }
    }
}
