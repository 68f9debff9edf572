//! Chance and proofs: tokens, their hashes, and values signed by this installation.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// The installation's key. Printed by nothing.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    pub fn draw() -> Self {
        Self(rand::random())
    }

    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub fn decode(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// A tag over `value` for one `purpose`; nobody without the key can make it.
    pub fn tag(&self, purpose: &str, value: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(purpose, value).finalize().into_bytes())
    }

    /// Whether `tag` belongs to `value`, in constant time.
    pub fn verify(&self, purpose: &str, value: &str, tag: &str) -> bool {
        URL_SAFE_NO_PAD.decode(tag).is_ok_and(|tag| self.mac(purpose, value).verify_slice(&tag).is_ok())
    }

    /// 256 bits for one `purpose`, the same for as long as the installation keeps its key.
    pub fn seed(&self, purpose: &str) -> [u8; 32] {
        self.mac(purpose, "seed").finalize().into_bytes().into()
    }

    fn mac(&self, purpose: &str, value: &str) -> Hmac<Sha256> {
        #[allow(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length");
        mac.chain_update(purpose).chain_update([0]).chain_update(value)
    }
}

/// 256 bits of chance, fit for an address or a cookie.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// How a token is stored: whoever reads the database cannot use it.
pub fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

/// Six digits of chance.
pub fn six_digits() -> String {
    use rand::Rng;
    format!("{:06}", rand::rng().random_range(0..1_000_000))
}

/// Equal, without telling by the time where they differ.
pub fn same(a: &str, b: &str) -> bool {
    use subtle::ConstantTimeEq;
    a.as_bytes().ct_eq(b.as_bytes()).into()
}
