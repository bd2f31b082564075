//! Identifiers that look random but are reproducible.

/// Formats 128 bits as a version 4 UUID.
fn uuid(high: u64, low: u64) -> String {
    let bits = (u128::from(high) << 64) | u128::from(low);
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Mixes the bits of a number (splitmix64) so that identifiers derived from a counter look random.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Returns the `number`th UUID of a series, based only on these two numbers.
pub(super) fn uuid_in_series(series: u64, number: u64) -> String {
    let high = mix(series.wrapping_add(number));
    uuid(high, mix(high ^ number))
}

/// Derives a user's ID from an email address, ignoring case.
pub(super) fn uuid_of_email(email: &str) -> String {
    // FNV-1a with two different offset bases gives the 128 bits of a UUID.
    let hash = |basis: u64| {
        let lower = email.to_lowercase();
        lower.bytes().fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    uuid(mix(hash(0xcbf2_9ce4_8422_2325)), mix(hash(0x8422_2325_cbf2_9ce4)))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn identifiers_have_the_shape_of_a_uuid_and_differ() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|n| uuid_in_series(7, n)).collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids {
            assert_eq!(id.len(), 36);
            assert_eq!(id.as_bytes()[14], b'4', "{id}");
            assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        }
    }
}
