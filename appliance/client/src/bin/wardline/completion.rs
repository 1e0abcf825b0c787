//! `wardline completion`: what a shell needs to finish commands and options that are begun.

use clap::{CommandFactory as _, ValueEnum};
use clap_complete::aot::{Bash, Fish, Generator, Zsh, generate};

use crate::exit::Failure;
use crate::{Cli, say};

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(crate) fn completion(shell: Shell) -> Result<(), Failure> {
    let script = match shell {
        Shell::Bash => script(Bash),
        Shell::Zsh => script(Zsh),
        Shell::Fish => script(Fish),
    };
    say::line(script.trim_end())
}

fn script(shell: impl Generator) -> String {
    let mut bytes = Vec::new();
    generate(shell, &mut Cli::command(), "wardline", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_knows_the_commands_and_options() {
        let scripts = [(script(Bash), "complete -F _wardline"), (script(Zsh), "#compdef wardline")];
        for (script, how) in scripts.into_iter().chain([(script(Fish), "complete -c wardline")]) {
            assert!(script.contains(how), "{how}");
            for word in ["whoami", "transfer", "pin-file", "privacy-officer"] {
                assert!(script.contains(word), "{how}: {word}");
            }
        }
    }
}
