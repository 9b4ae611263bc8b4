//! Which texts can be the names that a host gives its variants and handlers.

/// The longest name of a variant or handler.
const NAME_LENGTH: usize = 64;
/// Words that the routes need for themselves.
const RESERVED: [&str; 3] = ["admin", "process", "static"];

/// Names end up in addresses, rows and logs.
pub(crate) fn slug(what: &str, name: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edges = name.starts_with('-') || name.ends_with('-');
    if name.is_empty() || name.len() > NAME_LENGTH || edges || !name.chars().all(good) {
        return Err(format!(
            "expected a {what} name of 1 to {NAME_LENGTH} lower-case letters, digits and inner hyphens, got {name:?}"
        ));
    }
    Ok(())
}

/// The same for a variant, whose name is a part of addresses.
pub(crate) fn variant_name(name: &str) -> Result<(), String> {
    slug("variant", name)?;
    if RESERVED.contains(&name) {
        return Err(format!("expected a variant name other than the reserved {}, got {name:?}", RESERVED.join(", ")));
    }
    Ok(())
}
