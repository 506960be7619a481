// gateway/api/history.h: what has happened, read from the store: /v1/alerts, /v1/events, /v1/audit. Thread-safe.
#pragma once

#include "gateway/api/api_router.h"

namespace pawsight::gateway {

class HistoryApi {
 public:
  /// Adds its routes.
  explicit HistoryApi(const ApiContext& context);
  HistoryApi(const HistoryApi&) = delete;
  HistoryApi& operator=(const HistoryApi&) = delete;

 private:
  Result<net::HttpResponse> ListAlerts(const Call& call) const;
  Result<net::HttpResponse> GetAlert(const Call& call) const;
  Result<net::HttpResponse> GetPicture(const Call& call) const;
  void DeletePicture(const Call& call, const Responder& reply);
  Result<net::HttpResponse> ListEvents(const Call& call) const;
  Result<net::HttpResponse> GetEvent(const Call& call) const;
  Result<net::HttpResponse> ListAudit(const Call& call) const;

  const ApiContext context_;
};

Json AlertJson(const events::Alert& alert);
Json EventJson(const events::Event& event);

}  // namespace pawsight::gateway
