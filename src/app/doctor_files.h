#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "app/doctor.h"

/// The steps of an examination that need no connection.
namespace app {

/// The certificate, its key and the authorities: whether they can be read, fit, are in time, and
/// are for what they are used for. None of them: a warning.
std::vector<Finding> examine_files(const Examination& examination,
                                   std::chrono::system_clock::time_point now);

/// Whether `cluster`, or any when it is "", is connected by the page /status.
Finding judge_clusters(std::string_view page, const std::string& cluster);

/// What a server's HTTP/1.1 answer to CONNECT says.
Finding judge_answer(std::string_view answer, const std::string& target);

}  // namespace app
