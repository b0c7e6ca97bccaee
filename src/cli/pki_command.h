#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy pki init|issue|show|renew`: certificates for use without Kubernetes.
Command pki_command();

}  // namespace cli
