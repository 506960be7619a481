// gateway/api/cameras.h: an owner's cameras: /v1/cameras. What is answered is in force: the camera's next frame is
// taken by it. Not here: frames (gateway/api/frames.h). Thread-safe.
#pragma once

#include "gateway/api/api_router.h"
#include "gateway/api/registry.h"

namespace pawsight::gateway {

struct CamerasOptions {
  bool pull = false;  // an owner may name a source to be pulled: the gateway then connects to where the owner says
  size_t max_cameras = 10000;  // of one owner
};

/// Of a source that an owner names. A host that is written as a link-local address (169.254.0.0/16, fe80::/10), in
/// whatever way the system reads one, is refused: clouds have their metadata there, and no camera stands there.
/// Loopback and private networks are where cameras are. Names are not resolved here. Errors: kPermissionDenied
/// `pull_off`; kInvalidArgument `field`.
Status CheckCameraSource(const std::string& source, bool pull);

class CamerasApi {
 public:
  /// Adds its routes. `registry` must outlive the server.
  CamerasApi(const ApiContext& context, Registry& registry, const CamerasOptions& options);
  CamerasApi(const CamerasApi&) = delete;
  CamerasApi& operator=(const CamerasApi&) = delete;

 private:
  Result<net::HttpResponse> List(const Call& call) const;
  Result<net::HttpResponse> Get(const Call& call) const;
  void Create(const Call& call, const Responder& reply);
  void Update(const Call& call, const Responder& reply);
  void Delete(const Call& call, const Responder& reply);
  /// The body into *camera, whose fields stand where the body says nothing. False: answered.
  bool Read(const Call& call, const Responder& reply, events::Camera* camera) const;
  /// Writes, brings the owner over, answers with `status` and the camera.
  void Put(const Call& call, const Responder& reply, events::Camera camera, int status, std::string action);

  const ApiContext context_;
  Registry& registry_;
  const CamerasOptions options_;
};

}  // namespace pawsight::gateway
