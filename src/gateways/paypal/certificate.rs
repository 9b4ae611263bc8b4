//! Decides whether a certificate may sign PayPal's events: its address must be on PayPal's hosts, its chain must end at
//! a trusted root, and its name must be the one that PayPal's libraries require.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use url::Url;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::der::Decode;
use x509_cert::der::asn1::{ObjectIdentifier, PrintableStringRef, Utf8StringRef};

use crate::domain::Timestamp;

/// The hosts that serve PayPal's certificates, in production and in the sandbox.
const HOSTS: [&str; 4] = ["api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com"];
const PATH: &str = "/v1/notifications/certs/";
/// The common name in a certificate's subject (X.520).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The certificate's address, if it is one of PayPal's. Anybody can write it into a header, so it is parsed before it
/// is compared.
pub(super) fn address(text: &str) -> Option<String> {
    // The URL parser ignores blanks, line ends and tabs, and reads a backslash as a slash.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let url = Url::parse(text).ok().filter(|url| is_plain && url.scheme() == "https" && url.port().is_none())?;
    let has_no_user = url.username().is_empty() && url.password().is_none();
    let ends_with_path = url.query().is_none() && url.fragment().is_none();
    let is_paypals = url.host_str().is_some_and(|host| HOSTS.contains(&host));
    let name = url.path().strip_prefix(PATH)?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    (has_no_user && ends_with_path && is_paypals && is_name).then(|| url.into())
}

/// The certificates in a PEM text, in its order; empty if anything in it is not a certificate.
pub(super) fn read(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default()
}

/// Trust anchors of these certificates. Unreadable ones are skipped.
pub(super) fn anchors(certificates: &[CertificateDer<'static>]) -> Vec<TrustAnchor<'static>> {
    let anchors = certificates.iter().filter_map(|certificate| anchor_from_trusted_cert(certificate).ok());
    anchors.map(|anchor| anchor.to_owned()).collect()
}

/// Whether the first certificate is valid at `now` and signed `message`. The other certificates may be its issuers.
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

/// Whether the certificate has exactly one common name, it is `messageverificationcerts.….paypal.com`, and the
/// certificate is also valid for that name as a DNS name.
fn is_paypals(leaf: &EndEntityCert<'_>, certificate: &CertificateDer<'_>) -> bool {
    let names = common_names(certificate).unwrap_or_default();
    let [name] = &names[..] else { return false };
    let is_dns_name =
        ServerName::try_from(name.as_str()).is_ok_and(|name| leaf.verify_is_valid_for_subject_name(&name).is_ok());
    let name = name.to_ascii_lowercase();
    is_dns_name && name.starts_with("messageverificationcerts.") && name.ends_with(".paypal.com")
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
