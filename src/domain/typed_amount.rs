//! An amount as people type it into a search: `49.99`, `49,99 €`, `EUR 1.249,00`, `.51`.

use super::money::{Currency, Decimal};

/// The signs that stand for one currency.
const SIGNS: [(char, &str); 4] = [('€', "EUR"), ('$', "USD"), ('£', "GBP"), ('¥', "JPY")];

/// The numbers that a text may mean, and the currency if it names one. None for a text that is no amount.
pub(crate) fn typed_amount(text: &str) -> (Vec<Decimal>, Option<Currency>) {
    let (number, currency) = without_currency(text.trim());
    let number: String = number.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’')).collect();
    let is_number = number.chars().any(|c| c.is_ascii_digit());
    if !is_number || !number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',')) {
        return (Vec::new(), None);
    }
    // With a point before the decimals, as in English, and with a comma, as in German.
    let swapped = number.chars().map(|c| match c {
        '.' => ',',
        ',' => '.',
        digit => digit,
    });
    let mut numbers: Vec<Decimal> = Vec::new();
    for form in [number.clone(), swapped.collect()] {
        let whole = if form.starts_with('.') { format!("0{form}") } else { form };
        numbers.extend(Decimal::parse(&whole).ok().filter(|number| !numbers.contains(number)));
    }
    (numbers, currency)
}

/// The text without the sign or code of a currency at either end, and that currency.
fn without_currency(text: &str) -> (&str, Option<Currency>) {
    for (sign, code) in SIGNS {
        if let Some(rest) = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign)) {
            return (rest, Currency::parse(code).ok());
        }
    }
    let ends =
        [text.get(..3).zip(text.get(3..)), text.len().checked_sub(3).and_then(|at| text.get(at..).zip(text.get(..at)))];
    let named = ends.into_iter().flatten().find_map(|(code, rest)| Some((rest, Some(Currency::parse(code).ok()?))));
    named.unwrap_or((text, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(text: &str) -> Vec<i64> {
        let (numbers, currency) = typed_amount(text);
        let euro = Currency::parse("EUR").expect("a code");
        numbers.iter().filter_map(|number| number.exact(currency.unwrap_or(euro))).collect()
    }

    #[test]
    fn an_amount_is_read_however_people_write_it() {
        for text in ["49.99", "49,99", "49,99 €", "€49.99", "EUR 49.99", "49,99 eur", " 49.99 "] {
            assert_eq!(minor(text), [4999], "{text}");
        }
        for text in ["1,249.00", "1.249,00 €", "1 249,00", "1'249.00", "1249", "1.249", "1,249"] {
            assert_eq!(minor(text), [124_900], "{text}");
        }
        assert_eq!((minor(".51"), minor(",51"), minor("5000 JPY")), (vec![51], vec![51], vec![5000]));
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["", "abc", "order-1", "a@b.c", "1.2.3", "EUR", "€", ".."] {
            assert_eq!(minor(text), Vec::<i64>::new(), "{text}");
        }
    }
}
