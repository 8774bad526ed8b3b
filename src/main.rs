//! The program's entry: one call into the library.

fn main() -> std::process::ExitCode {
    kiln::main()
}
