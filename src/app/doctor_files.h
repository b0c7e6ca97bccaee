#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "app/doctor.h"
#include "tunnel/client/failure.h"

/// The steps of an examination that need no connection.
namespace app {

/// The certificate, its key and the authorities: whether they can be read, fit, are in time, and
/// are for what they are used for. None of them: a warning.
std::vector<Finding> examine_files(const Examination& examination,
                                   std::chrono::system_clock::time_point now);

/// Whether `cluster`, or any when it is "", is connected by the page /status.
Finding judge_clusters(std::string_view page, const std::string& cluster);

/// What is to be done about a TLS handshake that failed so.
std::string_view handshake_advice(std::string_view error);

/// What is to be done about a dial that failed so.
Finding judge_failure(const tunnel::client::DialError& error, const std::string& target);

}  // namespace app
