// gateway/api/frames.h: frames in: POST /v1/cameras/{camera}/frames, one JPEG or PNG as the body or several as
// multipart, with capture time and sequence in headers; 202 with the frame's id, or with ?wait=answers what came of it.
// And of the newest frame: GET .../frame, its bytes; POST .../ask, questions about it, which move no rule. Thread-safe.
#pragma once

#include <atomic>
#include <memory>

#include "gateway/api/api_router.h"
#include "gateway/api/registry.h"
#include "gateway/backend.h"
#include "gateway/path/frame_path.h"

namespace pawsight::gateway {

struct FramesOptions {
  std::chrono::milliseconds ask_within{10000};  // an ad-hoc question's deadline
  int max_asks = 64;                            // ad-hoc questions at the backend at once; another gets 503
  size_t max_frame_bytes = 8U << 20U;           // 413; not above the path's
  size_t max_parts = 64;                        // frames in one multipart body
};

class FramesApi {
 public:
  /// Adds its routes. All must outlive the server.
  FramesApi(const ApiContext& context, const Registry& registry, FramePath& path, AsyncBackend& backend,
            const FramesOptions& options);
  FramesApi(const FramesApi&) = delete;
  FramesApi& operator=(const FramesApi&) = delete;

 private:
  void Post(std::shared_ptr<const Call> call, const Responder& reply);
  void PostOne(const Call& call, const Responder& reply, Submission submission, bool wait);
  void PostParts(const std::shared_ptr<const Call>& call, const Responder& reply, const Submission& like, bool wait);
  Result<net::HttpResponse> Newest(const Call& call) const;
  void Ask(const Call& call, const Responder& reply);
  /// Whose camera it is, as far as this call may know. Errors: kNotFound `camera_unknown`, also another owner's;
  /// kPermissionDenied `tenant_violation`, a device that is not the camera's.
  Result<Registry::CameraEntry> CameraOf(const Call& call) const;

  const ApiContext context_;
  const Registry& registry_;
  FramePath& path_;
  AsyncBackend& backend_;
  const FramesOptions options_;
  const std::shared_ptr<std::atomic<int>> num_asks_ = std::make_shared<std::atomic<int>>(0);
};

/// Pawsight-Captured-At, Pawsight-Sent-At (RFC 3339) and Pawsight-Sequence into the submission; absent ones leave it as
/// it is. `header` gives a header by its lower-case name. Errors: kInvalidArgument `header`.
Status ReadFrameHeaders(const std::function<std::string_view(std::string_view)>& header, Submission* submission);

}  // namespace pawsight::gateway
