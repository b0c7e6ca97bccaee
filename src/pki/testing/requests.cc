#include "pki/testing/requests.h"

#include "pki/certificate_builder.h"

namespace pki::testing {

const std::string_view kRequestOfGo = R"(-----BEGIN CERTIFICATE REQUEST-----
MIIB8zCCAZoCAQAwgesxQzATBgNVBAoTDHNlY29uZDpncm91cDAsBgNVBAoTJW9w
ZW4tY2x1c3Rlci1tYW5hZ2VtZW50OmNsdXN0ZXItcHJveHkxaDBmBgNVBAsTX3Np
Z25lci0zNzZmNzk3YTRlNzA2NzQ0NjQ1ODU2Mzg3MDQ1NzMzMTRkNDc2NzcyNzg3
MDRmNDQ0ODc3NTc0MjY4NzU2OTMzNDk2MjRlNzE2ZjcxNzk2ODUxNGY1NTNkMTow
OAYDVQQDEzFvcGVuLWNsdXN0ZXItbWFuYWdlbWVudDpjbHVzdGVyLXByb3h5OnBy
b3h5LWFnZW50MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAECrssWcAKrX394kUQ
yaNZ/Eptk9cP3JEkHhldef6c/zPVUBPv9O0XTot5wNDWh7yQ6cSoh7h5Fwi+I5tM
UA6TpqBMMEoGCSqGSIb3DQEJDjE9MDswOQYDVR0RBDIwMIIuY2x1c3Rlci1wcm94
eS5hZGRvbi5vcGVuLWNsdXN0ZXItbWFuYWdlbWVudC5pbzAKBggqhkjOPQQDAgNH
ADBEAiBrUo1aOilyDY6zGgmIGCERf11irBIaXQRL7fDIKhU51QIgA6tMKSTIQS2G
P7faCJof5fr0JLa1YzObTOoO5qwEwLs=
-----END CERTIFICATE REQUEST-----
)";

std::string self_signed_authority(const PrivateKey& key) {
  const auto now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);
  CertificateBuilder builder;
  builder.set_serial(63);
  builder.set_validity(now, now + std::chrono::hours(24));
  builder.set_public_key(key.native());
  builder.set_subject("authority");
  builder.set_issuer_to_subject();
  builder.add(NID_key_usage, "critical,keyCertSign");
  builder.add(NID_basic_constraints, "critical,CA:TRUE");
  const unsigned char id[] = {1, 2, 3, 4};
  builder.add_subject_key_id(id);
  return x509::to_pem(**builder.sign(key));
}

}  // namespace pki::testing
