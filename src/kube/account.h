#pragma once

#include <string_view>

#include "kube/config.h"
#include "kube/json.h"

namespace kube {

/// The ServiceAccount as which `config` lets us in, as an owner reference for objects in namespace
/// `in_namespace`: they go when it goes. Read from the token, which a kubelet binds to the account;
/// {} when there is no such token, or the account is of another namespace.
json::object account_owner(const Config& config, std::string_view in_namespace);

/// `object` with `owner` among its owners; {} adds nothing. What owns it already stays.
void add_owner(json::object& object, const json::object& owner);

}  // namespace kube
