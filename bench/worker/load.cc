#include "worker/load.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "frames/encode.h"
#include "net/testing.h"
#include "scenes/draw.h"

namespace pawsight::bench {
namespace {

const std::string& Photo() {
  static const std::string photo = [] {
    const auto jpeg = frames::EncodeJpeg(scenes::Draw(11, 640, 480).image, 85);
    CHECK(jpeg.ok());
    return std::string(reinterpret_cast<const char*>(jpeg->data()), jpeg->size());
  }();
  return photo;
}

/// A BYTES element: its length, then itself.
std::string Element(std::string_view bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  std::string element(sizeof size, '\0');
  std::memcpy(element.data(), &size, sizeof size);
  return element.append(bytes);
}

}  // namespace

std::string InferRequest(int64_t number) {
  std::string image = Photo();
  image.append(reinterpret_cast<const char*>(&number), sizeof number);  // after its end
  const std::string tensor = Element(image);
  const std::string json =
      R"({"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":)" +
      std::to_string(tensor.size()) +
      R"(}},{"name":"question","datatype":"BYTES","shape":[1],"data":["Is there a dog on the couch?"]}]})";
  return "POST /v2/models/vqa/infer HTTP/1.1\r\nHost: localhost\r\nInference-Header-Content-Length: " +
         std::to_string(json.size()) + "\r\nContent-Length: " + std::to_string(json.size() + tensor.size()) +
         "\r\n\r\n" + json + tensor;
}

double ClosedLoop(int port, int connections, double seconds) {
  using std::chrono::steady_clock;
  const auto begin = steady_clock::now() + std::chrono::seconds(1);
  const auto end = begin + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(seconds));
  static std::atomic<int64_t> next{1};
  std::atomic<int64_t> answers{0};
  std::vector<std::thread> clients;
  for (int n = 0; n < connections; ++n) {
    clients.emplace_back([&] {
      net::testing::RawClient client(port);
      while (steady_clock::now() < end) {
        client.Send(InferRequest(next.fetch_add(1)));
        const std::string answer = client.ReadUntil("\r\n\r\n");
        const bool refused = answer.starts_with("HTTP/1.1 429");
        (void)client.ReadUntil(refused ? "}" : "]}]}");  // the body's end
        if (refused) {                                   // a standing queue is shed: another is let in soon
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
          continue;
        }
        CHECK(answer.starts_with("HTTP/1.1 200"));
        const auto now = steady_clock::now();
        if (now >= begin && now < end) answers.fetch_add(1);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  return static_cast<double>(answers.load()) / seconds;
}

}  // namespace pawsight::bench
