#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "async/clock.h"
#include "kube/json.h"
#include "kube/time.h"

namespace kube {

/// The object that an event is about.
struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string in_namespace;  // "" = the object has none
  std::string name;
  std::string uid;
  std::string resource_version;
};
/// Of an object that has kind and apiVersion.
ObjectReference reference_to(const json::object& object);

enum class EventType { normal, warning };

/// What happened to whom.
struct Happening {
  ObjectReference about;
  EventType type = EventType::normal;
  std::string reason;   // one word: "Created"
  std::string message;  // a sentence for people
};

/// An event (core/v1) to write: a new one, or a further count of one written before.
struct EventWrite {
  std::string in_namespace;  // the object's, or "default"
  std::string name;
  std::int64_t count = 1;
  json::object event;  // to create, also when a counted one has gone
  json::object patch;  // of a counted one (merge patch)
};

/// Decides, as client-go does, what becomes of happenings: the same one again counts up its event;
/// from the tenth message on, those of one object and reason that come within ten minutes of each
/// other are one event; an object may have 25 at once, then one in five minutes. No I/O, no clock
/// of its own.
class EventCorrelator {
 public:
  /// `component` and `host` say who reports.
  EventCorrelator(std::string component, std::string host)
      : component_(std::move(component)), host_(std::move(host)) {}

  /// Nothing when the object has had its share.
  std::optional<EventWrite> take(Happening happening, async::TimePoint now, WallTime wall_now);

 private:
  struct Bucket {
    double tokens;
    async::TimePoint seen;
  };
  struct Similar {
    std::set<std::string> messages;
    async::TimePoint seen;
  };
  struct Written {
    std::int64_t count = 0;
    std::string name;
    std::string first;  // when
    async::TimePoint seen;
  };
  bool has_share(const ObjectReference& about, async::TimePoint now);
  /// The key under which the happening is counted; its message changes when it is lumped.
  std::string lump(Happening& happening, async::TimePoint now);
  json::object event_of(const Happening& happening, const EventWrite& write,
                        const Written& written) const;

  /// As client-go names an event: by its object, and a time that no other one has.
  std::string name_for(const ObjectReference& about, WallTime now);

  std::string component_;
  std::string host_;
  std::chrono::nanoseconds last_name_{0};
  std::map<std::string, Bucket> buckets_;   // by object
  std::map<std::string, Similar> similar_;  // by object, type and reason
  std::map<std::string, Written> written_;  // by that and message
};

}  // namespace kube
