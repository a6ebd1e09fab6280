//! The one runner of external programs: finds them, checks their version, keeps their output in a log, and names that
//! log in the error. No argument ever passes through a shell.
//!
//! ```no_run
//! # fn main() -> Result<(), hafnia::tool::ToolError> {
//! use hafnia::tool;
//! let output = tool::run(&tool::YOSYS, ["-q", "-s", "script.ys"], "build".as_ref(), "yosys.log".as_ref())?;
//! println!("{:.1} s, see {}", output.elapsed.as_secs_f64(), output.log.display());
//! # Ok(())
//! # }
//! ```

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

/// An external program, the oldest version that is known to do, and where it comes from.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    pub minimum: &'static str,
    /// Arguments that make it print its version.
    pub version_args: &'static [&'static str],
    /// Debian and Ubuntu package.
    pub package: &'static str,
}

pub const VERILATOR: Tool =
    Tool { name: "verilator", minimum: "5.006", version_args: &["--version"], package: "verilator" };
pub const YOSYS: Tool = Tool { name: "yosys", minimum: "0.23", version_args: &["-V"], package: "yosys" };
pub const YOSYS_ABC: Tool =
    Tool { name: "yosys-abc", minimum: "1.01", version_args: &["-q", "version"], package: "yosys" };
pub const IVERILOG: Tool = Tool { name: "iverilog", minimum: "11.0", version_args: &["-V"], package: "iverilog" };
pub const VVP: Tool = Tool { name: "vvp", minimum: "11.0", version_args: &["-V"], package: "iverilog" };
pub const CXX: Tool = Tool { name: "c++", minimum: "10", version_args: &["--version"], package: "g++" };
pub const MAKE: Tool = Tool { name: "make", minimum: "4.0", version_args: &["--version"], package: "make" };

/// Every tool, for `hafnia doctor`.
pub const ALL: [&Tool; 7] = [&VERILATOR, &CXX, &MAKE, &IVERILOG, &VVP, &YOSYS, &YOSYS_ABC];

/// Why a tool could not do its work, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error("`{tool}` is not on the PATH; {remedy}")]
    Missing { tool: &'static str, remedy: String },

    #[error("`{tool}` is too old: found {found} ({}), need {minimum} or newer; {remedy}", path.display())]
    TooOld { tool: &'static str, path: PathBuf, found: String, minimum: &'static str, remedy: String },

    #[error("`{tool}` ({}) does not tell its version; {remedy}", path.display())]
    NoVersion { tool: &'static str, path: PathBuf, remedy: String },

    #[error("`{tool}` failed ({status}):\n{excerpt}\nthe whole output is in {}", log.display())]
    Failed { tool: String, status: String, log: PathBuf, excerpt: String },

    #[error("`{tool}` was stopped after {} s; its output is in {}", limit.as_secs(), log.display())]
    TimedOut { tool: String, limit: Duration, log: PathBuf },

    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },
}

/// A finished, successful run.
#[derive(Debug, Clone)]
pub struct Output {
    /// Standard output and standard error as they came.
    pub log: PathBuf,
    pub elapsed: Duration,
}

impl Output {
    /// The log's text.
    pub fn text(&self) -> Result<String, ToolError> {
        read_log(&self.log)
    }
}

/// Where a run happens and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    pub cwd: &'a Path,
    /// Both output streams go to this file; folders above it are made.
    pub log: &'a Path,
    pub limit: Option<Duration>,
}

#[derive(Debug, Clone)]
struct Found {
    path: PathBuf,
    version: String,
    banner: String,
}

static FOUND: LazyLock<Mutex<HashMap<&'static str, Found>>> = LazyLock::new(Mutex::default);

impl Tool {
    /// The version on the PATH, checked against the minimum. Asked once a process.
    pub fn version(&self) -> Result<String, ToolError> {
        Ok(self.find()?.version)
    }

    /// All that it says of its version, such as when it was built: what tells results of one build from those of another.
    pub fn banner(&self) -> Result<String, ToolError> {
        Ok(self.find()?.banner)
    }

    /// The version found in the folders of `path` (written as PATH is), checked against the minimum.
    pub fn version_on(&self, path: &OsStr) -> Result<String, ToolError> {
        Ok(self.find_on(path)?.version)
    }

    /// A command that starts the checked program, to which the caller adds arguments.
    pub fn command(&self) -> Result<Command, ToolError> {
        Ok(Command::new(self.find()?.path))
    }

    fn find(&self) -> Result<Found, ToolError> {
        let mut known = FOUND.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(found) = known.get(self.name) {
            return Ok(found.clone());
        }
        let found = self.find_on(&std::env::var_os("PATH").unwrap_or_default())?;
        known.insert(self.name, found.clone());
        Ok(found)
    }

    fn find_on(&self, path: &OsStr) -> Result<Found, ToolError> {
        let program = std::env::split_paths(path)
            .map(|folder| folder.join(self.name))
            .find(|candidate| is_executable(candidate))
            .ok_or_else(|| ToolError::Missing { tool: self.name, remedy: self.remedy() })?;
        let output = Command::new(&program)
            .args(self.version_args)
            .stdin(Stdio::null())
            .output()
            .map_err(|source| ToolError::Io { path: program.clone(), action: "run", source })?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        let Some(version) = first_version(&text) else {
            return Err(ToolError::NoVersion { tool: self.name, path: program, remedy: self.remedy() });
        };
        if numbers(&version) < numbers(self.minimum) {
            return Err(ToolError::TooOld {
                tool: self.name,
                path: program,
                found: version,
                minimum: self.minimum,
                remedy: self.remedy(),
            });
        }
        Ok(Found { path: program, version, banner: text.trim().to_string() })
    }

    fn remedy(&self) -> String {
        format!("install {} {} or newer: apt-get install {}", self.name, self.minimum, self.package)
    }
}

/// Runs a tool to its end; its output goes to `log`. An exit code other than 0 is an error.
pub fn run<A>(tool: &Tool, args: A, cwd: &Path, log: &Path) -> Result<Output, ToolError>
where
    A: IntoIterator,
    A::Item: AsRef<OsStr>,
{
    run_limited(tool, args, Run { cwd, log, limit: None })
}

/// [`run`] with a limit of time. The limit stops the program itself, so it suits programs that start no others.
pub fn run_limited<A>(tool: &Tool, args: A, run: Run) -> Result<Output, ToolError>
where
    A: IntoIterator,
    A::Item: AsRef<OsStr>,
{
    let mut command = tool.command()?;
    command.args(args);
    run_command(tool.name, command, run)
}

/// Runs a command that is no [`Tool`], such as a simulator that was just built, in the same way.
pub fn run_command(name: &str, mut command: Command, run: Run) -> Result<Output, ToolError> {
    let io = |action| move |source| ToolError::Io { path: run.log.to_owned(), action, source };
    if let Some(folder) = run.log.parent() {
        fs::create_dir_all(folder).map_err(io("make the folder of the log"))?;
    }
    let file = File::create(run.log).map_err(io("create the log"))?;
    let both = file.try_clone().map_err(io("create the log"))?;
    command.current_dir(run.cwd).stdin(Stdio::null()).stdout(file).stderr(both);

    let start = Instant::now();
    let program = PathBuf::from(command.get_program());
    let mut child =
        command.spawn().map_err(|source| ToolError::Io { path: program.clone(), action: "start", source })?;
    let wait = |source| ToolError::Io { path: program.clone(), action: "wait for", source };
    let status = match run.limit {
        None => child.wait().map_err(wait)?,
        Some(limit) => loop {
            if let Some(status) = child.try_wait().map_err(wait)? {
                break status;
            }
            if start.elapsed() > limit {
                // It may just have ended; either way it is gone after this.
                let _ = child.kill();
                child.wait().map_err(wait)?;
                return Err(ToolError::TimedOut { tool: name.to_owned(), limit, log: run.log.to_owned() });
            }
            std::thread::sleep(Duration::from_millis(2) + start.elapsed().min(Duration::from_secs(1)) / 50);
        },
    };
    if !status.success() {
        let excerpt = excerpt(&read_log(run.log)?);
        return Err(ToolError::Failed {
            tool: name.to_owned(),
            status: describe(status),
            log: run.log.to_owned(),
            excerpt,
        });
    }
    Ok(Output { log: run.log.to_owned(), elapsed: start.elapsed() })
}

fn read_log(log: &Path) -> Result<String, ToolError> {
    let bytes =
        fs::read(log).map_err(|source| ToolError::Io { path: log.to_owned(), action: "read the log", source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("stopped by signal {signal}");
    }
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

/// From the first line that speaks of an error, a few lines; without one, the last lines.
fn excerpt(log: &str) -> String {
    const LINES: usize = 6;
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return "  (no output)".to_owned();
    }
    let speaks = |line: &&str| {
        let lower = line.to_lowercase();
        line.starts_with("%Error") || ["error:", "fatal:", "error "].iter().any(|word| lower.contains(word))
    };
    let first = lines.iter().position(speaks).unwrap_or(lines.len().saturating_sub(LINES));
    let mut shown = lines[first..lines.len().min(first + LINES)].to_vec();
    // A line of output that was cut off by the error.
    if let Some(at) = shown[0].find("ERROR:") {
        shown[0] = &shown[0][at..];
    }
    shown.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn is_executable(path: &Path) -> bool {
    let Ok(metadata) = fs::metadata(path) else { return false };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    metadata.is_file() && may_run
}

/// The first `1.2` or `1.2.3` in a text.
fn first_version(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.') && word.split('.').all(|part| !part.is_empty()))
        .map(str::to_owned)
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// A list of arguments from anything that can be one.
pub fn args<const N: usize>(list: [&dyn AsRef<OsStr>; N]) -> Vec<OsString> {
    list.iter().map(|arg| arg.as_ref().to_owned()).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A folder with one fake program.
    fn folder_with(name: &str, script: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join(name);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    #[test]
    fn a_missing_tool_names_its_package() {
        let empty = tempfile::tempdir().unwrap();
        let error = YOSYS.version_on(empty.path().as_os_str()).unwrap_err();
        assert_eq!(error.to_string(), "`yosys` is not on the PATH; install yosys 0.23 or newer: apt-get install yosys");
    }

    #[test]
    fn a_tool_that_is_too_old_is_refused() {
        let folder = folder_with("verilator", "echo 'Verilator 4.228 2022-10-01 rev (Debian 4.228-1)'");
        let error = VERILATOR.version_on(folder.path().as_os_str()).unwrap_err();
        assert!(matches!(&error, ToolError::TooOld { found, minimum: "5.006", .. } if found == "4.228"), "{error}");
        assert!(error.to_string().contains("found 4.228"), "{error}");
        assert!(error.to_string().contains("apt-get install verilator"), "{error}");
    }

    #[test]
    fn newer_versions_do_and_parts_compare_as_numbers() {
        let folder = folder_with("verilator", "echo 'Verilator 5.020 2024-01-01 rev v5.020'");
        assert_eq!(VERILATOR.version_on(folder.path().as_os_str()).unwrap(), "5.020");
        assert!(numbers("5.020") > numbers("5.006"));
        assert!(numbers("0.9") < numbers("0.23"));
        assert!(numbers("12.2.0") > numbers("12"));
        assert_eq!(first_version("g++ (Debian 12.2.0-14) 12.2.0").unwrap(), "12.2.0");
        assert_eq!(first_version("no number, 7 or 1. only"), None);
    }

    #[test]
    fn a_tool_without_a_version_is_refused() {
        let folder = folder_with("yosys", "echo hello");
        assert!(matches!(YOSYS.version_on(folder.path().as_os_str()), Err(ToolError::NoVersion { .. })));
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_names_code_log_and_first_error() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/fake.log");
        let run = Run { cwd: folder.path(), log: &log, limit: None };
        let script = "echo fine; echo 'ERROR: no such module'; echo more >&2; exit 3";
        let error = run_command("fake", shell(script), run).unwrap_err();
        let ToolError::Failed { status, excerpt, .. } = &error else { panic!("{error}") };
        assert_eq!(status, "exit code 3");
        assert_eq!(excerpt, "  ERROR: no such module\n  more");
        assert!(error.to_string().contains("fake.log"));
        assert_eq!(fs::read_to_string(&log).unwrap(), "fine\nERROR: no such module\nmore\n");
    }

    #[test]
    fn a_run_can_be_limited() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("slow.log");
        let mut command = Command::new("sleep");
        command.arg("60");
        let run = Run { cwd: folder.path(), log: &log, limit: Some(Duration::from_millis(50)) };
        let start = Instant::now();
        assert!(matches!(run_command("sleep", command, run), Err(ToolError::TimedOut { .. })));
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_run_returns_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("ok.log");
        let output = run_command("sh", shell("pwd"), Run { cwd: folder.path(), log: &log, limit: None }).unwrap();
        assert!(output.text().unwrap().trim().ends_with(folder.path().file_name().unwrap().to_str().unwrap()));
    }
}
