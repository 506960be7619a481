#include "notify/url.h"

#include <gtest/gtest.h>

#include <tuple>

namespace pawsight::notify {
namespace {

TEST(Url, APlainOneIsReadAndWrittenBack) {
  const std::tuple<const char*, const char*, int, const char*> rows[] = {
      {"https://example.org", "example.org", 443, "https://example.org/"},
      {"https://example.org/a/b?c=d", "example.org", 443, "https://example.org/a/b?c=d"},
      {"HTTPS://Example.ORG:8443/A", "example.org", 8443, "https://example.org:8443/A"},
      {"http://example.org?x", "example.org", 80, "http://example.org/?x"},
      {"https://192.0.2.7:443/", "192.0.2.7", 443, "https://192.0.2.7/"},
      {"https://[2001:DB8:0::7]:8443/x", "2001:db8::7", 8443, "https://[2001:db8::7]:8443/x"},
      {"https://xn--bcher-kva.example/%20", "xn--bcher-kva.example", 443, "https://xn--bcher-kva.example/%20"},
      {"https://[::ffff:127.0.0.1]/", "127.0.0.1", 443, "https://127.0.0.1/"},
  };
  for (const auto& [text, host, port, written] : rows) {
    const auto url = ParseUrl(text);
    ASSERT_TRUE(url.ok()) << text << ": " << url.status().ToString();
    EXPECT_EQ(url->host.name, host);
    EXPECT_EQ(url->port, port);
    EXPECT_EQ(url->ToString(), written);
    EXPECT_EQ(ParseUrl(url->ToString())->ToString(), written);
  }
}

TEST(Url, WhatTwoProgramsCouldReadDifferentlyIsRefused) {
  for (const char* text : {"",
                           "example.org",
                           "//example.org/",
                           "file:///etc/passwd",
                           "gopher://example.org/",
                           "ftp://example.org/",
                           "dict://example.org/",
                           "https:/example.org/",
                           "https://",
                           "https:///x",
                           "https://user:pass@example.org/",
                           "https://user@example.org/",
                           "https://@example.org/",
                           "https://example.org@10.0.0.1/",
                           "https://example.org:pass@10.0.0.1/",
                           "https://example.org#@10.0.0.1/",
                           "https://example.org\\@10.0.0.1/",
                           "https://example.org/\r\nHost: x",
                           "https://example.org/\n",
                           "https://exam ple.org/",
                           " https://example.org/",
                           "https://example.org/a b",
                           "https://example.org/%0d%0aHost:x",
                           "https://example.org/%0A",
                           "https://example.org/%00",
                           "https://example.org/\xC3\xA4",
                           "https://b\xC3\xBC"
                           "cher.example/",
                           "https://localhost./",
                           "https://example.org./",
                           "https://.example.org/",
                           "https://exa..mple/",
                           "https://-a.example/",
                           "https://a-.example/",
                           "https://a_b.example/",
                           "https://a%2eb.example/",
                           "https://2130706433/",
                           "https://0x7f000001/",
                           "https://0177.0.0.1/",
                           "https://127.1/",
                           "https://1.2.3.4.5/",
                           "https://example.1/",
                           "https://example.0x7f/",
                           "https://[::1/",
                           "https://[::1]x/",
                           "https://[fe80::1%25eth0]/",
                           "https://[127.0.0.1]/",
                           "https://[example]/",
                           "https://::1/",
                           "https://example.org:/",
                           "https://example.org:+80/",
                           "https://example.org:0/",
                           "https://example.org:65536/",
                           "https://example.org:443443443443/",
                           "https://example.org:22/",
                           "https://example.org:25/",
                           "https://example.org:6379/",
                           "https://example.org:5432/",
                           "https://example.org:11211/",
                           "https://example.org:81/"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(ParseUrl(std::string_view("https://a.example\0.b/", 21)).ok());
  EXPECT_FALSE(ParseUrl("https://example.org/" + std::string(kMaxUrlBytes, 'x')).ok());
  EXPECT_FALSE(ParseUrl("https://" + std::string(64, 'x') + ".example/").ok());
}

TEST(Url, ItsOriginHidesWhatMayBeSecret) {
  EXPECT_EQ(ParseUrl("https://example.org:8443/hooks/s3cret?token=x")->Origin(), "https://example.org:8443");
}

}  // namespace
}  // namespace pawsight::notify
