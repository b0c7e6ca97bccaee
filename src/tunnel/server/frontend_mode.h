#pragma once

namespace tunnel {

/// What the clients of a frontend speak.
enum class FrontendMode { grpc, http_connect };

}  // namespace tunnel
