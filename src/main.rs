//! The `weber` program.

fn main() {}
