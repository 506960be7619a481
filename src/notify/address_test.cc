#include "notify/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <map>

namespace pawsight::notify {
namespace {

AddressKind KindOf(const std::string& text) { return Classify(IpAddress::Parse(text).value()); }

TEST(Address, EveryKindThatIsNoOrdinaryHostIsKnown) {
  const std::map<AddressKind, std::vector<std::string>> kinds = {
      {AddressKind::kUnspecified, {"0.0.0.0", "0.1.2.3", "::"}},
      {AddressKind::kLoopback, {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"}},
      {AddressKind::kPrivate,
       {"10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "fc00::1",
        "fd12:3456::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::1", "::ffff:10.0.0.1", "::ffff:192.168.1.1"}},
      {AddressKind::kLinkLocal, {"169.254.0.0", "169.254.169.254", "fe80::1", "febf::1", "::ffff:169.254.169.254"}},
      {AddressKind::kSharedNat, {"100.64.0.1", "100.127.255.255"}},
      {AddressKind::kMulticast, {"224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"}},
      {AddressKind::kDocumentation, {"192.0.2.1", "198.51.100.1", "203.0.113.255", "2001:db8::1", "3fff::1"}},
      {AddressKind::kTunnel,
       {"64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "2002:7f00:1::1", "2002:808:808::1", "2001::1",
        "192.88.99.1"}},
      {AddressKind::kReserved,
       {"240.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "198.19.255.255", "::2", "::127.0.0.1", "::8.8.8.8",
        "100::1", "2001:2::1", "2001:20::1", "2001:1::1", "4000::1", "5f00::1", "64:ff9a::1", "1::1"}},
      {AddressKind::kPublic,
       {"1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "2a00::1",
        "2001:200::1",
        "::ffff:8.8.8.8"}},
  };
  for (const auto& [kind, texts] : kinds) {
    for (const std::string& text : texts) EXPECT_EQ(AddressKindName(KindOf(text)), AddressKindName(kind)) << text;
  }
}

TEST(Address, OnlyThePlainWayOfWritingOneIsTaken) {
  for (const char* text :
       {"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.1", "0x7f.0.0.1", "127.0.0.01", "127.0.0.1.",
        " 127.0.0.1", "127.0.0.1 ", "256.0.0.1", "fe80::1%eth0", "[::1]", "::1::", "", "localhost", "1.2.3.4/8"}) {
    EXPECT_FALSE(IpAddress::Parse(text).ok()) << text;
  }
  EXPECT_FALSE(IpAddress::Parse(std::string_view("127.0.0.1\0.example", 18)).ok());
}

TEST(Address, OneIsWrittenAsItIsRead) {
  for (const char* text : {"0.0.0.0", "192.0.2.7", "255.255.255.255", "::", "::1", "2001:db8::7", "fe80::1:2:3:4"}) {
    EXPECT_EQ(IpAddress::Parse(text).value().ToString(), text);
  }
  EXPECT_EQ(IpAddress::Parse("::ffff:192.0.2.7").value().ToString(), "192.0.2.7");
}

TEST(Address, OneComesFromTheSystemsForm) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0x7F000001);
  EXPECT_EQ(IpAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&v4)).value().ToString(), "127.0.0.1");
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  EXPECT_EQ(IpAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&v6)).value().ToString(), "::1");
  sockaddr other{};
  other.sa_family = AF_UNIX;
  EXPECT_FALSE(IpAddress::FromSockaddr(&other).ok());
}

AddressPolicy Allow(const std::vector<std::string>& networks) { return ParseAddressPolicy(networks).value(); }
Status Check(const std::string& text, const AddressPolicy& policy) {
  return CheckAddress(IpAddress::Parse(text).value(), policy);
}

TEST(AddressPolicy, ANetworkThatTheOperatorAllowsIsReachableAndNoOther) {
  EXPECT_EQ(Check("192.168.1.7", {}).reason(), "address_refused");
  const AddressPolicy home = Allow({"192.168.1.0/24", "fd00::/8", "127.0.0.1"});
  EXPECT_TRUE(Check("192.168.1.7", home).ok());
  EXPECT_TRUE(Check("::ffff:192.168.1.7", home).ok());
  EXPECT_TRUE(Check("fd00::1", home).ok());
  EXPECT_TRUE(Check("127.0.0.1", home).ok());
  EXPECT_TRUE(Check("8.8.8.8", home).ok());
  for (const char* text : {"192.168.2.7", "fc00::1", "127.0.0.2", "169.254.169.254", "::1"}) {
    EXPECT_EQ(Check(text, home).reason(), "address_refused") << text;
  }
}

TEST(AddressPolicy, AnAllowedTranslatorDoesNotOpenWhatStandsBehindIt) {
  const AddressPolicy nat64 = Allow({"64:ff9b::/96"});
  EXPECT_TRUE(Check("64:ff9b::8.8.8.8", nat64).ok());
  EXPECT_EQ(Check("64:ff9b::10.0.0.1", nat64).reason(), "address_refused");
  EXPECT_EQ(Check("64:ff9b::169.254.169.254", nat64).reason(), "address_refused");
  EXPECT_TRUE(Check("64:ff9b::10.0.0.1", Allow({"64:ff9b::/96", "10.0.0.0/8"})).ok());
  EXPECT_TRUE(Check("2002:808:808::1", Allow({"2002::/16"})).ok());
  EXPECT_EQ(Check("2002:a9fe:a9fe::1", Allow({"2002::/16"})).reason(), "address_refused");
}

TEST(AddressPolicy, OneRefusedAddressOfSeveralRefusesAll) {
  const IpAddress good = IpAddress::Parse("8.8.8.8").value();
  const IpAddress bad = IpAddress::Parse("10.0.0.1").value();
  EXPECT_TRUE(CheckAddresses({good, good}, {}).ok());
  EXPECT_EQ(CheckAddresses({good, bad}, {}).reason(), "address_refused");
  EXPECT_EQ(CheckAddresses({bad, good}, {}).reason(), "address_refused");
  EXPECT_EQ(CheckAddresses({}, {}).code(), StatusCode::kUnavailable);
}

TEST(AddressPolicy, ARefusalDoesNotTellTheAddress) {
  EXPECT_THAT(Check("10.11.12.13", {}).message(), ::testing::Not(::testing::HasSubstr("10.11")));
}

TEST(AddressPolicy, ANetworkIsReadStrictly) {
  for (const char* text : {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.1/8", "fd00::1/8",
                           "::/129", "10.0.0/8", "home", "/8"}) {
    EXPECT_FALSE(ParseAddressPolicy({text}).ok()) << text;
  }
  EXPECT_TRUE(Network::Parse("0.0.0.0/0").value().Contains(IpAddress::V4(0xFFFFFFFF)));
  EXPECT_FALSE(Network::Parse("0.0.0.0/0").value().Contains(IpAddress::Parse("::1").value()));
  EXPECT_FALSE(ParseAddressPolicy(std::vector<std::string>(65, "10.0.0.0/8")).ok());
}

}  // namespace
}  // namespace pawsight::notify
