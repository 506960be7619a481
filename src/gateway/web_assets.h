// gateway/web_assets.h: the page's files, built from web/ by esbuild and put into the program at build time
// (cmake/embed.cmake). Thread-safe: constants.
#pragma once

#include <string_view>

namespace pawsight::gateway {

extern const std::string_view kIconSvg;
extern const std::string_view kHomeHtml;
extern const std::string_view kHomeJs;
extern const std::string_view kHomeCss;

}  // namespace pawsight::gateway
