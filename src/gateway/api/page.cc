#include "gateway/api/page.h"

#include "gateway/web_assets.h"

namespace pawsight::gateway {
namespace {

/// Nothing from elsewhere, nothing inline, in nobody's frame. Pictures are fetched with the token and shown as blobs.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void Asset(ApiRouter& router, std::string_view path, std::string_view type, std::string_view body) {
  router.AddUndocumented(path, [type, body](const Call&) -> Result<net::HttpResponse> {
    return net::HttpResponse{
        200,
        std::string(type),
        std::string(body),
        {{"Content-Security-Policy", std::string(kContentPolicy)}, {"Referrer-Policy", "no-referrer"}},
        {},
        nullptr};
  });
}

}  // namespace

PageApi::PageApi(const ApiContext& context) {
  Asset(context.router, "/", "text/html; charset=utf-8", kHomeHtml);
  Asset(context.router, "/home.js", "text/javascript; charset=utf-8", kHomeJs);
  Asset(context.router, "/home.css", "text/css; charset=utf-8", kHomeCss);
  Asset(context.router, "/icon.svg", "image/svg+xml", kIconSvg);
}

}  // namespace pawsight::gateway
