#include "net/peer_socket.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

namespace net {
namespace {

struct Query {
  nlmsghdr head;
  inet_diag_req_v2 request;
};

struct Endpoint {
  sockaddr_storage address{};
  bool ipv4 = false;
  std::uint16_t port = 0;             // in the network's order
  std::array<std::uint32_t, 4> ip{};  // in the network's order
};

// An IPv4 address inside an IPv6 one counts as itself: the other end may be a socket of IPv4.
std::optional<Endpoint> endpoint(int descriptor, int (*name)(int, sockaddr*, socklen_t*)) {
  Endpoint end;
  socklen_t size = sizeof(end.address);
  if (name(descriptor, reinterpret_cast<sockaddr*>(&end.address), &size) != 0) return {};
  if (end.address.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(end.address);
    end.ipv4 = true;
    end.port = ipv4.sin_port;
    end.ip[0] = ipv4.sin_addr.s_addr;
    return end;
  }
  if (end.address.ss_family != AF_INET6) return {};
  const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(end.address);
  end.port = ipv6.sin6_port;
  std::memcpy(end.ip.data(), &ipv6.sin6_addr, sizeof(end.ip));
  end.ipv4 = IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr);
  if (end.ipv4) end.ip = {end.ip[3]};
  return end;
}

// Asks for the socket of the other end: the addresses of this one, the other way round.
std::optional<Query> question(int descriptor) {
  const auto self = endpoint(descriptor, ::getsockname);
  const auto peer = endpoint(descriptor, ::getpeername);
  if (!self || !peer) return {};
  Query query{};
  query.head.nlmsg_len = sizeof(query);
  query.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  query.head.nlmsg_flags = NLM_F_REQUEST;
  query.request.sdiag_family = peer->ipv4 ? AF_INET : AF_INET6;
  query.request.sdiag_protocol = IPPROTO_TCP;
  query.request.idiag_states = ~0U;
  inet_diag_sockid& id = query.request.id;
  id.idiag_sport = peer->port;
  id.idiag_dport = self->port;
  std::memcpy(id.idiag_src, peer->ip.data(), sizeof(id.idiag_src));
  std::memcpy(id.idiag_dst, self->ip.data(), sizeof(id.idiag_dst));
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return query;
}

// Returns the answer's socket; nothing when there is none, or the system does not tell.
std::optional<inet_diag_msg> ask(const Query& query) {
  const int netlink = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return {};
  alignas(nlmsghdr) std::array<char, 4096> answer{};
  ssize_t size = -1;
  if (::send(netlink, &query, sizeof(query), 0) == static_cast<ssize_t>(sizeof(query)))
    size = ::recv(netlink, answer.data(), answer.size(), 0);
  ::close(netlink);
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return {};
  nlmsghdr head;
  std::memcpy(&head, answer.data(), sizeof(head));
  if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY) return {};
  inet_diag_msg found;
  std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof(found));
  return found;
}

}  // namespace

// A socket that no program holds has no inode.
bool peer_has_closed(int descriptor) {
  const auto query = question(descriptor);
  if (!query) return false;
  const auto peer = ask(*query);
  return peer && peer->idiag_inode == 0;
}

}  // namespace net
