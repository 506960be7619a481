#include "notify/broker_tls.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace pawsight::notify {
namespace {

Result<Pin> PinOf(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return Unavailable("the certificate has no public key");
  Pin pin{};
  const bool made = EVP_Digest(der, static_cast<size_t>(size), pin.data(), nullptr, EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  if (!made) return Unavailable("the certificate's key cannot be hashed");
  return pin;
}

/// In place of OpenSSL's own check of the chain: the key that the other end has just proved to own is a pinned one.
int TakePinned(X509_STORE_CTX* store, void* self_pointer) {
  const auto& self = *static_cast<const BrokerTls*>(self_pointer);
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  const Result<Pin> pin = certificate == nullptr ? Result<Pin>(Unavailable("none")) : PinOf(certificate);
  const bool taken = pin.ok() && std::find(self.pins().begin(), self.pins().end(), *pin) != self.pins().end();
  X509_STORE_CTX_set_error(store, taken ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
  return taken ? 1 : 0;
}

/// Before the first message of a handshake: ask for the name, where libmosquitto has put the address.
void AskForName(const SSL* ssl, int where, int) {
  if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
  const auto* self = static_cast<const BrokerTls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const char* name = self->name().empty() ? nullptr : self->name().c_str();
  (void)SSL_ctrl(const_cast<SSL*>(ssl), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(name));  // OpenSSL copies it
}

}  // namespace

BrokerTls::BrokerTls(const Host& host, std::vector<Pin> pins)
    : name_(host.is_address ? "" : host.name), pins_(std::move(pins)), context_(SSL_CTX_new(TLS_client_method())) {
  CHECK(context_ != nullptr);
}

BrokerTls::~BrokerTls() { SSL_CTX_free(context_); }

Result<std::unique_ptr<BrokerTls>> BrokerTls::Make(const Host& host, const std::vector<Pin>& pins,
                                                   const std::string& ca_file) {
  std::unique_ptr<BrokerTls> tls(new BrokerTls(host, pins));
  SSL_CTX* context = tls->context_;
  SSL_CTX_set_app_data(context, tls.get());
  SSL_CTX_set_info_callback(context, AskForName);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  if (!pins.empty()) {
    SSL_CTX_set_cert_verify_callback(context, TakePinned, tls.get());
    return tls;
  }
  const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                     : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr);
  if (loaded != 1) return Unavailable("the trusted certificates cannot be read");
  X509_VERIFY_PARAM* wanted = SSL_CTX_get0_param(context);
  const int set = host.is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.name.c_str())
                                  : X509_VERIFY_PARAM_set1_host(wanted, host.name.c_str(), host.name.size());
  if (set != 1) return Unavailable("the broker's name cannot be checked");
  return tls;
}

}  // namespace pawsight::notify
