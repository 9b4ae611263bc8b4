//! How does one get the hash that `basic_auth` wants? Reads a password from the standard input and prints its hash:
//! `cargo run --example hash_password`, or in a pipe.

use actix_payments::hash_password;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    eprintln!("The password, and Enter (it can be seen while you type):");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    println!("{}", hash_password(line.trim_end_matches(['\r', '\n']))?);
    Ok(())
}
