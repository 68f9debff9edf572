//! Digits as people type them: every script's own, since phones offer those of the reader's language.

/// Where the ten decimal digits of each script begin (Unicode 14.0.0, general category Nd: they lie in order).
const ZEROS: [u32; 66] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
    0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0,
    0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50,
    0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950,
    0x1fbf0,
];

/// The decimal digits of a text as 0 to 9; everything else is left out.
pub fn digits(text: &str) -> String {
    text.chars().filter_map(digit).collect()
}

fn digit(c: char) -> Option<char> {
    let code = u32::from(c);
    let zero = *ZEROS[..ZEROS.partition_point(|zero| *zero <= code)].last()?;
    char::from_digit(code - zero, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_every_script_are_read_and_nothing_else_is() {
        for typed in ["123456", "१२३४५६", "١٢٣٤٥٦", "１２３ ４５６", "𝟏𝟐𝟑-456", "code: 123 456."]
        {
            assert_eq!(digits(typed), "123456", "{typed}");
        }
        assert_eq!(digits("½²③Ⅳ一/:"), "");
    }

    #[test]
    fn scripts_do_not_overlap() {
        assert!(ZEROS.windows(2).all(|pair| pair[0] + 10 <= pair[1]));
    }
}
