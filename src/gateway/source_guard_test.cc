#include "gateway/source_guard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

/// Names that lead where a test says; "hangs" answers when it is let.
class ToldResolver : public notify::Resolver {
 public:
  Result<std::vector<notify::IpAddress>> Resolve(const std::string& name) override {
    if (name == "hangs") {
      while (!let) std::this_thread::yield();
    }
    std::vector<notify::IpAddress> addresses;
    const auto told = told_.find(name);
    if (told == told_.end()) return Unavailable("no such name");
    for (const char* text : told->second) addresses.push_back(notify::IpAddress::Parse(text).value());
    return addresses;
  }
  std::atomic<bool> let{false};

 private:
  const std::map<std::string, std::vector<const char*>> told_ = {
      {"cam.home", {"192.168.1.20", "fd00::5"}},     {"meta.example", {"169.254.169.254"}},
      {"both.example", {"192.168.1.20", "fe80::1"}}, {"mapped.example", {"::ffff:169.254.0.7"}},
      {"nat64.example", {"64:ff9b::a9fe:a9fe"}},     {"6to4.example", {"2002:a9fe:a9fe::1"}},
      {"nat64.home", {"64:ff9b::10.0.0.7"}},
  };
};

Status Check(const std::string& host) {
  return CheckLeadsNowhereLinkLocal(host, std::make_shared<ToldResolver>(), minutes(1), {});
}

TEST(SourceGuardTest, ANameIsJudgedByEveryAddressItLeadsTo) {
  EXPECT_TRUE(Check("cam.home").ok());
  EXPECT_TRUE(Check("nat64.home").ok());
  for (const char* host : {"meta.example", "both.example", "mapped.example", "nat64.example", "6to4.example"}) {
    EXPECT_EQ(Check(host).reason(), "address_refused") << host;
  }
  EXPECT_EQ(Check("nowhere.example").code(), StatusCode::kUnavailable);
}

TEST(SourceGuardTest, ANameThatHangsHoldsUpNobody) {
  const auto resolver = std::make_shared<ToldResolver>();
  EXPECT_EQ(CheckLeadsNowhereLinkLocal("hangs", resolver, milliseconds(1), {}).code(), StatusCode::kDeadlineExceeded);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(CheckLeadsNowhereLinkLocal("hangs", resolver, minutes(1), stop.get_token()).code(), StatusCode::kCancelled);
  resolver->let = true;
}

}  // namespace
}  // namespace pawsight::gateway
