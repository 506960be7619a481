// Any bytes as the texts of a message: its mail has the headers it should have and no other, its JSON is JSON, its
// topics keep their levels, and headers for ntfy are one line each.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "notify/mail.h"
#include "notify/mqtt_topics.h"
#include "notify/ntfy.h"

namespace {

using namespace pawsight::notify;

/// Names of the headers of a mail, in order.
std::string HeaderNames(std::string_view mail) {
  std::string names;
  for (size_t at = 0; at < mail.size();) {
    const size_t end = mail.find("\r\n", at);
    CHECK(end != std::string_view::npos);
    const std::string_view line = mail.substr(at, end - at);
    if (line.empty()) return names;
    CHECK(line.find_first_of("\r\n") == std::string_view::npos && line.size() < 998);
    if (line[0] != ' ') names += std::string(line.substr(0, line.find(':'))) + " ";
    at = end + 2;
  }
  CHECK(false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Message message;
  message.id = "evt_1";
  message.type = MessageType::kFired;
  message.question = text.substr(0, size / 2);
  message.camera_name = message.camera = message.rule = text.substr(size / 2);
  message.alert = text.substr(size / 3, 70);
  EmailConfig email;
  email.from = "a@home.example";
  email.to = {"b@home.example"};
  const std::string mail = MailText(email, message, {});
  const std::string names = HeaderNames(mail);
  CHECK(names ==
            "Date From To Subject Message-ID Auto-Submitted MIME-Version Content-Type Content-Transfer-Encoding " ||
        names ==
            "Date From To Subject Message-ID References Auto-Submitted MIME-Version Content-Type "
            "Content-Transfer-Encoding ");
  CHECK(mail.find("\r\n.\r\n") == std::string::npos);
  CHECK(
      std::all_of(mail.begin(), mail.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != '\0'; }));
  CHECK(pawsight::Json::Parse(MessageJson(message).Dump()).ok());
  for (const MqttPublication& publication : MqttPublications(MqttConfig(), message)) {
    CHECK(publication.topic.find_first_of("+#\n") == std::string::npos);
    CHECK(std::count(publication.topic.begin(), publication.topic.end(), '/') <= 3);
  }
  message.picture = std::make_shared<const Picture>(Picture{"image/jpeg", {1}});
  for (const auto& [name, value] : NtfyTransfer(NtfyConfig(), message).headers)
    CHECK(value.find_first_of("\r\n") == std::string::npos);
  return 0;
}
