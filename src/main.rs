//! The one executable.

fn main() -> std::process::ExitCode {
    aftercare::cli::main()
}
