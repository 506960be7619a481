#include "gateway/api/authenticator.h"

#include <gtest/gtest.h>

#include <map>

namespace pawsight::gateway {
namespace {

using std::chrono::seconds;

class AuthenticatorTest : public ::testing::Test {
 protected:
  /// A token of that credential.
  std::string Make(const std::string& id, events::Role role = events::Role::kOperator) {
    std::string token = NewToken(role);
    events::Credential credential;
    credential.id = id;
    credential.owner = "own_a";
    credential.role = role;
    credentials_[HashToken(token)] = credential;
    return token;
  }
  Result<Principal> Admit(const std::string& token, const std::string& address = "192.0.2.1") {
    return authenticator_.Admit("Bearer " + token, address);
  }
  std::string Reason(const std::string& token, const std::string& address = "192.0.2.1") {
    return Admit(token, address).status().reason();
  }

  ManualClock clock_{Time(std::chrono::hours(500000))};
  std::map<TokenHash, events::Credential> credentials_;
  int num_looks_ = 0;
  Authenticator authenticator_{[this](const TokenHash& hash) -> Result<events::Credential> {
                                 ++num_looks_;
                                 const auto found = credentials_.find(hash);
                                 if (found == credentials_.end()) return NotFound("no such credential");
                                 return found->second;
                               },
                               clock_,
                               {.max_wrong = 3}};
};

TEST(TokenTest, ATokenIsOfItsRoleRandomAndOfOneShape) {
  const std::string token = NewToken(events::Role::kDevice);
  EXPECT_EQ(token.size(), 48U);
  EXPECT_EQ(token.substr(0, 5), "paw_d");
  EXPECT_NE(token, NewToken(events::Role::kDevice));
  EXPECT_EQ(TokenOf("Bearer " + token), token);
  for (const std::string& wrong :
       {std::string(), token, "bearer " + token, "Bearer  " + token, "Bearer " + token + "A",
        "Bearer " + token.substr(0, 47), "Bearer xxw_d" + token.substr(5), "Bearer paw_x" + token.substr(5),
        "Bearer " + token.substr(0, 47) + "=", "Bearer " + std::string(1U << 20U, 'a')}) {
    EXPECT_EQ(TokenOf(wrong), std::nullopt) << wrong.substr(0, 80);
  }
  EXPECT_EQ(EncodeBase64Url(std::string("\xfb\xff\xfe\x01", 4)), "-__-AQ");
}

TEST_F(AuthenticatorTest, ATokenSaysWhoAsksAndIsLookedUpOnceInAWhile) {
  const std::string token = Make("crd_1");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Admit(token).value().credential, "crd_1");
  EXPECT_EQ(num_looks_, 1);
  clock_.Advance(seconds(5));
  EXPECT_EQ(Admit(token).value().owner, "own_a");
  EXPECT_EQ(num_looks_, 2);
}

TEST_F(AuthenticatorTest, WhateverIsWrongWithATokenTheAnswerIsTheSame) {
  const std::string revoked = Make("crd_1"), expired = Make("crd_2");
  credentials_[HashToken(revoked)].revoked = clock_.Now();
  credentials_[HashToken(expired)].expires = clock_.Now();
  const Status unknown = Admit(NewToken(events::Role::kAdmin)).status();
  EXPECT_EQ(unknown.code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(Admit(revoked).status(), unknown);
  EXPECT_EQ(Admit(expired).status(), unknown);
  EXPECT_EQ(authenticator_.Admit("", "192.0.2.1").status(), unknown);
  EXPECT_EQ(authenticator_.Admit("Basic YTpi", "192.0.2.1").status(), unknown);
}

TEST_F(AuthenticatorTest, ARevokedTokenOpensNothingFromThenOn) {
  const std::string token = Make("crd_1");
  EXPECT_TRUE(Admit(token).ok());
  credentials_[HashToken(token)].revoked = clock_.Now();
  authenticator_.Forget();
  EXPECT_EQ(Reason(token), "token_wrong");
}

TEST_F(AuthenticatorTest, ATokenThatExpiresWhileItIsKnownOpensNothing) {
  const std::string token = Make("crd_1");
  credentials_[HashToken(token)].expires = clock_.Now() + seconds(2);
  EXPECT_TRUE(Admit(token).ok());
  clock_.Advance(seconds(2));
  EXPECT_EQ(Reason(token), "token_wrong");
}

TEST_F(AuthenticatorTest, WhoGuessesIsRefusedAndItsNeighboursAreNot) {
  const std::string neighbour = Make("crd_1"), late = Make("crd_2");
  EXPECT_TRUE(Admit(neighbour).ok());
  const std::string wrong = NewToken(events::Role::kAdmin);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(Reason(wrong), "token_wrong") << "one wrong token again and again is one guess";
  EXPECT_EQ(num_looks_, 2);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Reason(NewToken(events::Role::kAdmin)), "token_wrong");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Reason(NewToken(events::Role::kAdmin)), "too_many_wrong_tokens");
  EXPECT_EQ(num_looks_, 4);
  clock_.Advance(seconds(6));
  EXPECT_TRUE(Admit(neighbour).ok()) << "known from before";
  EXPECT_EQ(Reason(late), "too_many_wrong_tokens");
  EXPECT_TRUE(Admit(late, "192.0.2.2").ok()) << "from another address";
  clock_.Advance(seconds(60));
  EXPECT_EQ(Reason(NewToken(events::Role::kAdmin)), "token_wrong");
}

TEST_F(AuthenticatorTest, AStoreThatCannotBeReadIsNotTheTokensFault) {
  Authenticator broken([](const TokenHash&) -> Result<events::Credential> { return DataLoss("bad page"); }, clock_);
  EXPECT_EQ(broken.Admit("Bearer " + Make("crd_1"), "192.0.2.1").status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pawsight::gateway
