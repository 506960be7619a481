#include "notify/sign.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/base64.h"

namespace pawsight::notify {
namespace {

// The body, id and time are those of the specification's example; the signature under a secret of ours was computed
// with Python's hmac (docs/receivers.md shows how).
constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kId[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr int64_t kTimestamp = 1614265330;
constexpr char kBody[] = R"({"test": 2432232314})";

TEST(Sign, TheSignatureIsTheOneThatOthersCompute) {
  const std::vector<SigningSecret> secrets = {SigningSecret::Parse(kSecret).value()};
  EXPECT_EQ(SignatureHeader(secrets, kId, kTimestamp, kBody), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Sign, TwoSecretsGiveTwoSignatures) {
  const SigningSecret first = SigningSecret::Parse(kSecret).value();
  const SigningSecret second = SigningSecret::Make().value();
  const std::string both = SignatureHeader(std::vector{first, second}, kId, kTimestamp, kBody);
  EXPECT_EQ(both, SignatureHeader(std::vector{first}, kId, kTimestamp, kBody) + " " +
                      SignatureHeader(std::vector{second}, kId, kTimestamp, kBody));
}

TEST(Sign, EachPartIsSigned) {
  const std::vector<SigningSecret> secrets = {SigningSecret::Parse(kSecret).value()};
  const std::string right = SignatureHeader(secrets, kId, kTimestamp, kBody);
  EXPECT_NE(right, SignatureHeader(secrets, "msg_other", kTimestamp, kBody));
  EXPECT_NE(right, SignatureHeader(secrets, kId, kTimestamp + 1, kBody));
  EXPECT_NE(right, SignatureHeader(secrets, kId, kTimestamp, "{}"));
}

TEST(Sign, ASecretIsReadStrictlyAndNeverShownInAnError) {
  for (const std::string& text :
       {std::string(), std::string("whsec_"), "whsec_" + EncodeBase64(std::string(23, 'x')),
        "whsec_" + EncodeBase64(std::string(65, 'x')), EncodeBase64(std::string(32, 'x')), std::string(kSecret) + "\n",
        "whsk_" + EncodeBase64(std::string(32, 'x')), "whsec_" + std::string(1000, 'A')}) {
    const auto secret = SigningSecret::Parse(text);
    ASSERT_FALSE(secret.ok()) << text;
    EXPECT_EQ(secret.status().message().find("eHh4"), std::string::npos);
  }
  EXPECT_EQ(SigningSecret::Parse(kSecret)->Text(), kSecret);
  const SigningSecret made = SigningSecret::Make().value();
  EXPECT_EQ(made.bytes().size(), 32U);
  EXPECT_EQ(SigningSecret::Parse(made.Text()).value(), made);
  EXPECT_NE(made, SigningSecret::Make().value());
}

}  // namespace
}  // namespace pawsight::notify
