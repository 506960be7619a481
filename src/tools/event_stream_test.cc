#include "tools/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace pawsight::tools {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Read(EventStreamReader& reader, std::string_view bytes) {
  std::vector<std::string> events;
  (void)reader.Feed(bytes, [&](const StreamEvent& event) { events.push_back(event.name + "=" + event.data); });
  return events;
}

constexpr std::string_view kStream =
    "retry: 2000\n\n: still here\n\nevent: frame\ndata: {\"a\":\ndata: 1}\n\ndata:x\r\n\r\nevent: "
    "nothing\n\nevent\ndata\n\n";

TEST(EventStream, EventsAreReadAndAllElseIsPassedOver) {
  EventStreamReader reader;
  EXPECT_THAT(Read(reader, kStream), ElementsAre("frame={\"a\":\n1}", "=x", "="));
}

TEST(EventStream, ItDoesNotMatterWhereTheBytesAreCut) {
  EventStreamReader reader;
  std::vector<std::string> events;
  for (const char byte : kStream) {
    for (std::string& event : Read(reader, std::string_view(&byte, 1))) events.push_back(std::move(event));
  }
  EXPECT_THAT(events, ElementsAre("frame={\"a\":\n1}", "=x", "="));
}

TEST(EventStream, AnEventThatDoesNotEndIsRefused) {
  EventStreamReader reader;
  const std::string much(EventStreamReader::kMaxEventBytes / 2, 'x');
  const auto feed = [&](const std::string& bytes) { return reader.Feed(bytes, [](const StreamEvent&) {}).code(); };
  EXPECT_EQ(feed("data: " + much + "\n"), StatusCode::kOk);
  EXPECT_EQ(feed("data: " + much + "\n"), StatusCode::kDataLoss);
  EXPECT_EQ(feed("\n"), StatusCode::kDataLoss) << "and stays so";
}

}  // namespace
}  // namespace pawsight::tools
