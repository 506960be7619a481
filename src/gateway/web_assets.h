// gateway/web_assets.h: the page's files, built from web/ by esbuild and put into the program at build time
// (cmake/embed.cmake). Thread-safe: constants.
#pragma once

#include <string_view>

namespace pawsight::gateway {

extern const std::string_view kIndexHtml;
extern const std::string_view kAppJs;
extern const std::string_view kAppCss;
extern const std::string_view kIconSvg;

}  // namespace pawsight::gateway
