// gateway/api/page.h: the dashboard at "/": web/ as it was built in. It brings no data of its own: it asks the API with
// a token that the visitor types, or that a link brings behind its # (/#token=paw_o...), which no server sees and the
// page takes out of the address. Thread-safe.
#pragma once

#include "gateway/api/api_router.h"

namespace pawsight::gateway {

class PageApi {
 public:
  /// Adds its routes.
  explicit PageApi(const ApiContext& context);
};

}  // namespace pawsight::gateway
