// gateway/source_kinds.h: the sources behind MakeSource. For source.cc and tests.
#pragma once

#include <memory>
#include <string>

#include "gateway/source.h"

namespace pawsight::gateway {

/// A video file (recorded) or an RTSP camera (live) through a child ffmpeg that samples, scales and decodes.
std::unique_ptr<Source> MakeFfmpegSource(const SourceSpec& spec, const SourceOptions& options, const Clock& clock);

/// JPEG and PNG files of a directory in the order of their names (recorded). A file that cannot be read is left out and
/// logged; a directory without any is an error.
std::unique_ptr<Source> MakeDirectorySource(const std::string& path, const SourceOptions& options, const Clock& clock);

/// A URL that answers with multipart/x-mixed-replace (MJPEG) or with one image a request (a snapshot); live.
std::unique_ptr<Source> MakeHttpSource(const std::string& url, const SourceOptions& options, const Clock& clock);

}  // namespace pawsight::gateway
