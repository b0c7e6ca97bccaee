#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/result.h"

/// The page /status of a server (docs/status.md) as people want it.
namespace cli {

/// Fails with Code::invalid when the text is no such page, or one of a version that is not known.
base::Result<boost::json::object> parse_status(std::string_view text);

/// Leaves the clusters of these names, and their connections; all, when there are no names. Fails
/// with Code::not_found, with what is known, when one is not there.
base::Result<void> keep_clusters(boost::json::object& page, const std::vector<std::string>& names);
/// The clusters of the page without a link: why, in a sentence each.
std::vector<std::string> absences(const boost::json::object& page);

/// A line a cluster.
std::string cluster_table(const boost::json::object& page);
/// A line a link, and one for each cluster that is gone.
std::string link_table(const boost::json::object& page);
/// A line a connection. With `before`, the page of an earlier moment, those that carry most bytes
/// now come first, with their rates.
std::string connection_table(const boost::json::object& page, const boost::json::object* before);

std::string to_yaml(const boost::json::value& value);

}  // namespace cli
