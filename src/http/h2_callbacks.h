#pragma once

#include <vector>

#include <nghttp2/nghttp2.h>

#include "http/h2_session.h"

namespace http {

/// The callbacks of libnghttp2, as one set shared by all sessions.
const nghttp2_session_callbacks* h2_callbacks();
/// Views of the fields, valid while `headers` lives.
std::vector<nghttp2_nv> h2_fields(const Headers& headers);
/// What nghttp2 asks for the body of `stream`.
nghttp2_data_provider h2_body(H2Stream& stream);

}  // namespace http
