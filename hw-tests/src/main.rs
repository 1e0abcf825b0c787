//! Boots the appliance image and attacks it: `wardline-hw-tests --image DIRECTORY`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser;

use wardline_hw_tests::qemu::Tools;
use wardline_hw_tests::rows;

/// Boots the appliance image in QEMU and attacks it.
#[derive(Debug, Parser)]
struct Args {
    /// The directory that `make image` wrote.
    #[arg(long)]
    image: PathBuf,
    /// The Debian tree with QEMU, firmware and swtpm.
    #[arg(long)]
    tools: PathBuf,
    /// `image/inside`, which runs a program in that tree.
    #[arg(long)]
    inside: PathBuf,
    /// The private halves of the development keys.
    #[arg(long)]
    keys: PathBuf,
    /// Where boxes and their logs are kept; those of rows that failed stay.
    #[arg(long)]
    work: PathBuf,
    /// Where `wardline` and `wardline-provision` are, for those outside of the box.
    #[arg(long)]
    programs: PathBuf,
    /// Only rows whose name contains this.
    #[arg(long, default_value = "")]
    row: String,
}

#[allow(clippy::print_stdout, reason = "a table is what this is for")]
fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    std::fs::create_dir_all(&args.work).with_context(|| format!("making {}", args.work.display()))?;
    let tools = Tools {
        tree: args.tools.canonicalize().context("the tools are not there: run `make image`")?,
        inside: args.inside.canonicalize()?,
        image: args.image.canonicalize().context("there is no image: run `make image`")?,
        keys: args.keys.canonicalize()?,
        work: args.work.canonicalize()?,
        programs: args.programs.canonicalize().context("the programs are not there")?,
    };
    if !rows::ROWS.iter().any(|row| row.name.contains(&args.row)) {
        let names: Vec<&str> = rows::ROWS.iter().map(|row| row.name).collect();
        anyhow::bail!("no row is called {:?}; there are {}", args.row, names.join(", "));
    }
    let mut failed = 0;
    for row in rows::ROWS.iter().filter(|row| row.name.contains(&args.row)) {
        let began = Instant::now();
        let result = (row.run)(&tools, row.name);
        let seconds = began.elapsed().as_secs();
        match result {
            Ok(()) => println!("passed  {seconds:>4} s  {}: {}", row.name, row.promise),
            Err(error) => {
                failed += 1;
                println!("FAILED  {seconds:>4} s  {}: {}\n    {error:#}", row.name, row.promise);
            }
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
