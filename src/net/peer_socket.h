#pragma once

namespace net {

/// Whether the program at the other end of a connected TCP socket has closed its own: it takes no
/// bytes any more, which its end of the stream alone does not tell. Known of programs on this
/// machine only (same network namespace); false whenever it cannot be known. Costs a few system
/// calls.
bool peer_has_closed(int descriptor);

}  // namespace net
