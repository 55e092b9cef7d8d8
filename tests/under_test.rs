//! The binary that the tests run: the whole program, without the allocator of the shipped one.

fn main() -> std::process::ExitCode {
    auditql::main()
}
