// gateway/rtsp_testing.h: an RTSP camera on loopback, for tests: one JPEG again and again as RTP inside the RTSP
// connection, ten frames a second by its timestamps and as fast as they are taken. One client at a time.
// Source: RFC 2326 (10.12: interleaved), RFC 3550 (5.1), RFC 2435 (3.1: JPEG).
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "net/testing.h"

namespace pawsight::gateway::testing {

class RtspCamera {
 public:
  /// `jpeg`: 4:2:0 with the standard Huffman tables, sides that are multiples of 8, at most 60 kB. Each connection gets
  /// `num_frames` of them; then it ends, or, `silent`, says nothing more.
  RtspCamera(const std::vector<uint8_t>& jpeg, int num_frames, bool silent = false)
      : num_frames_(num_frames), silent_(silent) {
    Cut(jpeg);
    thread_ = std::thread([this] { ServeAll(); });
  }
  ~RtspCamera() {
    stopping_ = true;
    listener_.Stop();
    shutdown(client_, SHUT_RDWR);  // -1: nobody is there
    thread_.join();
  }
  RtspCamera(const RtspCamera&) = delete;
  RtspCamera& operator=(const RtspCamera&) = delete;

  std::string url() const { return "rtsp://127.0.0.1:" + std::to_string(listener_.port()) + "/live"; }
  /// That were asked to play.
  int num_plays() const { return num_plays_; }

 private:
  /// What RTP carries of it: the two quantization tables and the scan's data.
  void Cut(const std::vector<uint8_t>& jpeg) {
    size_t at = 2;
    while (jpeg.at(at + 1) != 0xDA) {
      const auto length = static_cast<size_t>(jpeg[at + 2] << 8 | jpeg[at + 3]);
      if (jpeg[at + 1] == 0xDB) {
        for (size_t table = at + 4; table < at + 2 + length; table += 65) {
          tables_.append(jpeg.begin() + static_cast<ptrdiff_t>(table + 1),
                         jpeg.begin() + static_cast<ptrdiff_t>(table + 65));
        }
      }
      if (jpeg[at + 1] == 0xC0) {
        height_ = jpeg[at + 5] << 8 | jpeg[at + 6];
        width_ = jpeg[at + 7] << 8 | jpeg[at + 8];
      }
      at += 2 + length;
    }
    at += 2 + static_cast<size_t>(jpeg[at + 2] << 8 | jpeg[at + 3]);
    scan_.assign(jpeg.begin() + static_cast<ptrdiff_t>(at), jpeg.end() - 2);
    CHECK(tables_.size() == 128 && width_ % 8 == 0 && height_ % 8 == 0 && scan_.size() < 60'000);
  }
  static void Put16(std::string& to, unsigned value) {
    to.push_back(static_cast<char>(value >> 8U & 255U));
    to.push_back(static_cast<char>(value & 255U));
  }
  /// The number'th frame, whole in one packet.
  std::string Packet(unsigned number) const {
    std::string rtp("\x80\x9A", 2);  // version 2; the last packet of its frame, of type 26
    Put16(rtp, number);
    const unsigned timestamp = number * 9000;  // of 90 kHz
    Put16(rtp, timestamp >> 16U);
    Put16(rtp, timestamp);
    rtp += "paws";
    rtp.append(4, '\0');  // whole from its beginning
    rtp += '\1';          // 4:2:0
    rtp += '\xFF';        // tables come with it
    rtp.push_back(static_cast<char>(width_ / 8));
    rtp.push_back(static_cast<char>(height_ / 8));
    rtp.append(2, '\0');
    Put16(rtp, static_cast<unsigned>(tables_.size()));
    rtp += tables_ + scan_;
    std::string framed("$\0", 2);
    Put16(framed, static_cast<unsigned>(rtp.size()));
    return framed + rtp;
  }
  bool Send(const std::string& bytes) const {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t part = send(client_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (part <= 0) return false;
      sent += static_cast<size_t>(part);
    }
    return true;
  }
  /// Up to an empty line; "": the client has gone.
  std::string ReadRequest() const {
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n")) {
      if (recv(client_, &byte, 1, 0) != 1) return {};
      request.push_back(byte);
    }
    return request;
  }
  bool Answer(const std::string& request) const {
    const size_t at = request.find("CSeq: ");
    const std::string sequence = request.substr(at, request.find("\r\n", at) - at);
    std::string head = "RTSP/1.0 200 OK\r\n" + sequence + "\r\nSession: 1\r\n", body;
    if (request.starts_with("OPTIONS")) head += "Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n";
    if (request.starts_with("SETUP")) head += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    if (request.starts_with("DESCRIBE")) {
      body =
          "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=den\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\n"
          "c=IN IP4 0.0.0.0\r\na=control:track1\r\n";
      head += "Content-Type: application/sdp\r\n";
    }
    return Send(head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  void Serve() {
    for (std::string request = ReadRequest(); !request.empty(); request = ReadRequest()) {
      if (!Answer(request)) return;
      if (!request.starts_with("PLAY")) continue;
      ++num_plays_;
      for (int number = 0; number < num_frames_; ++number) {
        if (!Send(Packet(static_cast<unsigned>(number)))) return;
      }
      if (!silent_) return;
    }
  }
  void ServeAll() {
    while (!stopping_) {
      client_ = listener_.Accept();
      if (client_ < 0) continue;  // stopping
      if (!stopping_) Serve();
      close(client_.exchange(-1));
    }
  }

  const int num_frames_;
  const bool silent_;
  std::string tables_, scan_;
  int width_ = 0, height_ = 0;
  net::testing::Listener listener_;
  std::atomic<int> client_{-1}, num_plays_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace pawsight::gateway::testing
