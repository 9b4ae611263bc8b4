//! May this certificate sign PayPal's events? Its address must be PayPal's own, its chain must end at a trusted root,
//! and its name must be the one that PayPal's libraries ask for.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use url::Url;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::der::Decode;
use x509_cert::der::asn1::{ObjectIdentifier, PrintableStringRef, Utf8StringRef};

use crate::domain::Timestamp;

/// Where PayPal serves certificates, in production and in the sandbox.
const HOSTS: [&str; 4] = ["api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com"];
const PATH: &str = "/v1/notifications/certs/";
/// The attribute of a subject that holds its common name (X.520).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The address of a certificate, if it is one of PayPal's: compared after it was read, since a stranger writes it.
pub(super) fn address(text: &str) -> Option<String> {
    // A reader of addresses forgives blanks, line ends and tabs, and takes a backslash for a slash.
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let url = Url::parse(text).ok().filter(|url| plain && url.scheme() == "https" && url.port().is_none())?;
    let nobody = url.username().is_empty() && url.password().is_none();
    let bare = url.query().is_none() && url.fragment().is_none();
    let ours = url.host_str().is_some_and(|host| HOSTS.contains(&host));
    let name = url.path().strip_prefix(PATH)?;
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    (nobody && bare && ours && named).then(|| url.into())
}

/// The certificates of a PEM text, in its order; none where there is anything else.
pub(super) fn read(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default()
}

/// The trust anchors that these certificates are. What is no certificate is left out.
pub(super) fn anchors(certificates: &[CertificateDer<'static>]) -> Vec<TrustAnchor<'static>> {
    let anchors = certificates.iter().filter_map(|certificate| anchor_from_trusted_cert(certificate).ok());
    anchors.map(|anchor| anchor.to_owned()).collect()
}

/// Whether the first of the certificates may sign at `now`, and signed `message`. The others may be its issuers.
pub(super) fn signed(
    certificates: &[CertificateDer<'_>],
    anchors: &[TrustAnchor<'_>],
    now: Timestamp,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Some((first, issuers)) = certificates.split_first() else { return false };
    let Ok(leaf) = EndEntityCert::try_from(first) else { return false };
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let usage = KeyUsage::server_auth();
    let chain = leaf.verify_for_usage(ALL_VERIFICATION_ALGS, anchors, issuers, time, usage, None, None);
    chain.is_ok()
        && is_paypals(&leaf, first)
        && leaf.verify_signature(RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
}

/// Whether the certificate's one common name is `messageverificationcerts.….paypal.com`, and is among the names that its
/// issuer vouches for.
fn is_paypals(leaf: &EndEntityCert<'_>, certificate: &CertificateDer<'_>) -> bool {
    let names = common_names(certificate).unwrap_or_default();
    let [name] = &names[..] else { return false };
    let vouched =
        ServerName::try_from(name.as_str()).is_ok_and(|name| leaf.verify_is_valid_for_subject_name(&name).is_ok());
    let name = name.to_ascii_lowercase();
    vouched && name.starts_with("messageverificationcerts.") && name.ends_with(".paypal.com")
}

fn common_names(certificate: &CertificateDer<'_>) -> Option<Vec<String>> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let parts = certificate.tbs_certificate.subject.0.iter().flat_map(|part| part.0.iter());
    let names = parts.filter(|attribute| attribute.oid == COMMON_NAME).map(|attribute| {
        let value = &attribute.value;
        let text = value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str().to_owned());
        text.or_else(|_| value.decode_as::<PrintableStringRef<'_>>().map(|text| text.as_str().to_owned())).ok()
    });
    names.collect()
}
