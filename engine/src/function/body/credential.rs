//! A certificate of a signing request in, the id under which the apiserver logs its use out.

use datafusion::{
    arrow::array::{ArrayRef, StringViewArray},
    error::Result,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::function::map_text;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

pub(in crate::function) fn certificate_id(args: &[&StringViewArray]) -> Result<ArrayRef> {
    Ok(map_text(args[0], id))
}

/// `X509SHA256=` and the SHA-256 of the first certificate of a PEM text in base64 (`certToCredentialID`
/// in `staging/src/k8s.io/apiserver/pkg/authentication/request/x509/x509.go`).
fn id(text: &str) -> Option<String> {
    let pem = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (_, rest) = pem.split_once(BEGIN)?;
    let (inside, _) = rest.split_once(END)?;
    let inside: String = inside.split_ascii_whitespace().collect();
    let der = STANDARD.decode(inside).ok().filter(|der| !der.is_empty())?;
    let hash = Sha256::digest(&der);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("X509SHA256={hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_hash_of_the_first_certificate() {
        let pem = format!("# chain\n{BEGIN}\nYW\nJj\n{END}\n{BEGIN}\nZGVm\n{END}\n");
        // SHA-256 of `abc`, FIPS 180-2 appendix B.1.
        let expected =
            "X509SHA256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(id(&STANDARD.encode(pem)).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        let of = |pem: &str| id(&STANDARD.encode(pem));
        assert_eq!(of(&format!("{BEGIN}{END}")), None);
        assert_eq!(of(&format!("{BEGIN}\n*\n{END}")), None);
        assert_eq!(of(BEGIN), None);
        assert_eq!(of(""), None);
        assert_eq!(id("*"), None);
    }
}
