//! `epo-run serve`: a policy behind the protocol of OpenAI.

use super::Settings;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "A key that clients have to send comes from the variable EPO_SERVE_KEY or from --key-file. docs/serve.md has the rest."
)]
#[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "nobody serves"))]
pub(super) struct ServeArgs {
    /// A policy of a run (`demo/7f3a9c41:demo.train`, `demo:train.best`), a folder that holds one, or a pretrained model (a folder, a GGUF file,
    /// `hub:NAME@REVISION`, `pip:PACKAGE`).
    #[arg(value_name = "POLICY")]
    pub policy: String,
    /// What clients call the model; by default as it was named here.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// 0: any that is free.
    #[arg(long, value_name = "N", default_value_t = 8000)]
    pub port: u16,
    /// A file with the key that clients have to send.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Responses that are made at the same time.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub slots: u16,
    /// Responses that may wait for that.
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub queue: u16,
    /// The most tokens of a prompt and its response together; by default the model's own, up to 4096.
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(2..))]
    pub context: Option<u32>,
    /// The most bytes of a request's body.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    pub max_body: u32,
    /// The most seconds that a request may take, waiting included.
    #[arg(long, value_name = "SECONDS", default_value_t = 600.0)]
    pub time_limit: f64,
}

#[cfg(not(feature = "serve"))]
pub(super) fn run(_args: &ServeArgs, _settings: &Settings) -> u8 {
    super::complain("this program was built without `serve` (cargo build --features serve)")
}

#[cfg(feature = "serve")]
pub(super) use with::run;

#[cfg(feature = "serve")]
mod with {
    use super::{ServeArgs, Settings};
    use crate::cli::settings::duration;
    use crate::cli::{DONE, FAILED, answer, complain, complain_with, input, runs, stop, tell};
    use crate::model::pretrained::cache_folder;
    use crate::serve::{FindError, Options, Serve, find};
    use crate::store::Store;
    use std::net::TcpListener;

    const KEY: &str = "EPO_SERVE_KEY";
    /// A key has a few letters.
    const MOST_BYTES: usize = 4096;

    pub(in crate::cli) fn run(args: &ServeArgs, settings: &Settings) -> u8 {
        match serve(args, settings) {
            Ok(code) | Err(code) => code,
        }
    }

    fn serve(args: &ServeArgs, settings: &Settings) -> Result<u8, u8> {
        crate::model::threads::configure();
        let time_limit = duration(args.time_limit).map_err(|why| complain(&format!("`--time-limit` is {}; {why}", args.time_limit)))?;
        let key = key(args).map_err(|message| complain(&message))?;
        let place = (args.host, args.port);
        let listener = TcpListener::bind(place)
            .map_err(|error| complain(&format!("cannot listen on {}: {error}", std::net::SocketAddr::from(place))))?;
        let device = crate::cli::device::open(&settings.values.device).map_err(|message| complain(&message))?;
        let models = settings.values.machine.data.get("models").cloned().unwrap_or_else(cache_folder);
        let store = Store::new(&settings.values.runs);
        let mut found = find(&args.policy, &store, &models, &device, &mut |line| tell(line)).map_err(|error| wrong(&error))?;
        if let Some(name) = &args.name {
            found.name.clone_from(name);
        }
        let name = found.name.clone();
        let options = Options {
            key,
            slots: args.slots.into(),
            queue: args.queue.into(),
            context: args.context.map(|context| context as usize),
            max_body: args.max_body as usize,
            time_limit,
            threads: settings.threads(),
        };
        let server = Serve::new(found, listener, options).map_err(|error| complain(&error.to_string()))?;
        let stop = stop::on_ctrl_c("stopping when what is being answered is done, or in 10 s; press Ctrl-C again to stop at once")?;
        server.notes().iter().for_each(|note| tell(note));
        let address = server.address().map_err(|error| complain(&format!("cannot listen: {error}")))?;
        answer(&format!("serving `{name}` at http://{address}/v1\n"));
        server.run(&stop).map_err(|message| {
            complain(&message);
            FAILED
        })?;
        Ok(DONE)
    }

    /// From the file, or else from the environment: what stands on a command line, everybody on the machine can read.
    fn key(args: &ServeArgs) -> Result<Option<String>, String> {
        let (text, from) = match (&args.key_file, std::env::var_os(KEY)) {
            (Some(file), _) => (input::read(file, MOST_BYTES)?, format!("`{}`", file.display())),
            (None, Some(value)) => (value.into_string().map_err(|_| format!("the key in {KEY} is no text"))?, KEY.to_owned()),
            (None, None) => return Ok(None),
        };
        let key = text.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("the key in {from} has to be one word of letters, digits and signs of ASCII"));
        }
        Ok(Some(key.to_owned()))
    }

    fn wrong(error: &FindError) -> u8 {
        match error {
            FindError::Store(error) => runs::wrong(error),
            FindError::Which { message, help } => complain_with(message, Some(help)),
            FindError::Model(error) => complain(&error.to_string()),
        }
    }
}
