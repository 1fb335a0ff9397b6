use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tierd_model::Zone;
use tierd_sources::{
    Database,
    init::{InitError, InitOptions, propose},
};

use crate::{
    args::InitArgs,
    commands::schema,
    exit::{Code, Failure},
    output::Output,
};

/// A database that stays locked is waited for this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the schema of a database and writes a commented configuration and first rules for it.
pub(crate) fn init(args: &InitArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let zone = zone(args)?;
    let database =
        Database::open(&args.database, PATIENCE).map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
    let shown = relative(&args.database, folder);
    let options = InitOptions { database: &shown.to_string_lossy(), time_zone: zone.name() };
    let connection = database.connect().map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
    let proposal = propose(&connection, &options).map_err(|error| nothing_found(&error, &options))?;
    let mut files = vec![("tierd.toml".to_owned(), proposal.config), (proposal.rules_file, proposal.rules)];
    refuse_to_overwrite(args, folder, &files)?;
    files.extend(schema::beside_config().map(|(path, text)| (path.to_owned(), text)));
    write(folder, &files)?;
    for note in &proposal.notes {
        output.remark(note);
    }
    let written: Vec<&str> = files.iter().take(2).map(|(path, _)| path.as_str()).collect();
    output.remark(&format!("wrote {}; read them, then: tierd check, tierd run", written.join(" and ")));
    Ok(())
}

/// Nothing was recognised: the message has what to write by hand.
fn nothing_found(error: &InitError, options: &InitOptions<'_>) -> Failure {
    let message = Failure::from_error(Code::Failed, error);
    match (error.template(options), message.message) {
        (Some(template), Some(text)) => {
            Failure::new(Code::Failed, format!("{text}\n\nwrite tierd.toml by hand, along these lines:\n\n{template}"))
        }
        (_, text) => Failure { code: Code::Failed, message: text },
    }
}

/// The zone asked for, or the machine's.
fn zone(args: &InitArgs) -> Result<Zone, Failure> {
    let machine = || jiff::tz::TimeZone::system().iana_name().map(ToOwned::to_owned);
    let name = args.time_zone.clone().or_else(machine).unwrap_or_else(|| "UTC".to_owned());
    Zone::new(&name).map_err(|error| Failure::new(Code::Usage, error))
}

/// The database as `tierd.toml` should name it: from its own folder where that is possible.
fn relative(database: &Path, folder: &Path) -> PathBuf {
    let absolute = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let (Ok(database_path), Ok(folder)) = (absolute(database), absolute(folder)) else {
        return database.to_owned();
    };
    database_path.strip_prefix(&folder).map_or(database_path.clone(), Path::to_owned)
}

fn refuse_to_overwrite(args: &InitArgs, folder: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    match files.iter().find(|(path, _)| folder.join(path).exists()) {
        Some((path, _)) if !args.force => Err(Failure::new(
            Code::Failed,
            format!("{} is there already; --force overwrites it", folder.join(path).display()),
        )),
        _ => Ok(()),
    }
}

/// Writes files below a folder, making folders on the way.
pub(crate) fn write(folder: &Path, files: &[(impl AsRef<Path>, impl AsRef<[u8]>)]) -> Result<(), Failure> {
    for (path, content) in files {
        let path = folder.join(path);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
        made.map_err(|error| Failure::new(Code::Failed, format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(())
}
