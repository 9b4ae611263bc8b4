//! How does a developer send an event again? As a command that a shell takes, whatever bytes the body has.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A command that posts `body` with these header fields to `address`.
pub(crate) fn command(address: &str, headers: &[(String, String)], body: &[u8]) -> String {
    let fields: String =
        headers.iter().map(|(name, value)| format!(" -H {}", quoted(&format!("{name}: {value}")))).collect();
    let post = format!("curl -i{fields}");
    match std::str::from_utf8(body).ok().filter(|text| plain(text)) {
        Some(text) => format!("{post} --data-binary {} {}", quoted(text), quoted(address)),
        None => {
            let body = STANDARD.encode(body);
            format!("printf %s {} | base64 -d | {post} --data-binary @- {}", quoted(&body), quoted(address))
        }
    }
}

/// Whether an argument can hold the text: an `@` at its beginning would name a file.
fn plain(text: &str) -> bool {
    !text.starts_with('@') && !text.chars().any(|c| c.is_control() && !"\n\r\t".contains(c))
}

/// The text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::command;

    /// What the shell hands to curl, with a function of that name in its place.
    fn heard(command: &str) -> String {
        let script = format!(
            "curl() {{ for word in \"$@\"; do if [ \"$word\" = @- ]; then cat | od -An -tx1; else printf '[%s]' \"$word\"; fi; done; }}; {command}"
        );
        let heard = Command::new("sh").arg("-c").arg(script).output().expect("a shell");
        String::from_utf8(heard.stdout).expect("text")
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        let headers = [("x-sig".to_owned(), "t=1,v1='$(id)`".to_owned())];
        let body = "{\"a\": \"it's $HOME \\\\ \u{202e}\nline\"}";
        let expected = format!("[-i][-H][x-sig: t=1,v1='$(id)`][--data-binary][{body}][http://a/?b=1&c=2]");
        assert_eq!(heard(&command("http://a/?b=1&c=2", &headers, body.as_bytes())), expected);
    }

    #[test]
    fn bytes_that_are_no_text_go_through_as_they_are() {
        for body in [&b"@/etc/passwd"[..], b"a\0b", b"\xff\xfe"] {
            let bytes: String = body.iter().map(|byte| format!(" {byte:02x}")).collect();
            let heard = heard(&command("http://a/", &[], body));
            assert_eq!(heard.replace('\n', ""), format!("[-i][--data-binary]{bytes}[http://a/]"));
        }
    }
}
